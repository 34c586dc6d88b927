import numpy as np
import pytest

from app.imaging.handwriting.ink import find_ink, label_components
from app.imaging.samples import FloatImage
from tests.app.pictures import digit, gradient, unit


def stroke(height: int = 300, width: int = 300, *, box: tuple[int, int, int, int]) -> FloatImage:
    gray = np.zeros((height, width), np.float32)
    left, top, right, bottom = box
    gray[top:bottom, left:right] = 1
    return gray


def test_the_box_is_around_the_ink() -> None:
    ink = find_ink(stroke(box=(60, 40, 80, 240)))
    assert ink is not None
    assert ink.box == pytest.approx((60, 40, 80, 240), abs=4)


def test_a_small_picture_is_searched_as_it_is() -> None:
    ink = find_ink(stroke(28, 28, box=(12, 5, 15, 22)))
    assert ink is not None
    assert ink.box == pytest.approx((12, 5, 15, 22), abs=1)


@pytest.mark.parametrize("level", [0, 0.5, 1])
@pytest.mark.parametrize("shape", [(300, 300), (28, 28), (1, 1), (1, 300)], ids=str)
def test_there_is_no_ink_on_blank_paper(shape: tuple[int, int], level: float) -> None:
    assert find_ink(np.full(shape, level, np.float32)) is None


def test_there_is_no_ink_on_paper_with_a_shade() -> None:
    assert find_ink(unit(gradient(200, 300))) is None


@pytest.mark.parametrize("sigma", [0.01, 0.1])
def test_noise_does_not_move_the_box(sigma: float) -> None:
    noise = np.random.default_rng(0).normal(0, sigma, (300, 300))
    ink = find_ink((stroke(box=(100, 60, 140, 240)) + noise).astype(np.float32))
    assert ink is not None
    assert ink.box == pytest.approx((100, 60, 140, 240), abs=6)


@pytest.mark.parametrize("enlarged", [1, 4, 10])
def test_noise_as_coarse_as_strokes_moves_the_box_a_little(enlarged: int) -> None:
    noise = np.random.default_rng(0).normal(0, 0.4, (28, 28))
    coarse = np.clip(stroke(28, 28, box=(12, 5, 16, 23)) + noise, 0, 1)
    ink = find_ink(np.kron(coarse, np.ones((enlarged, enlarged))).astype(np.float32))
    assert ink is not None
    assert ink.is_grainy
    assert np.array(ink.box) / enlarged == pytest.approx((12, 5, 16, 23), abs=3)


@pytest.mark.parametrize("sigma", [0, 0.2])
def test_noise_of_single_pixels_is_no_grain_in_a_large_picture(sigma: float) -> None:
    noise = np.random.default_rng(0).normal(0, sigma, (300, 300))
    ink = find_ink((stroke(box=(100, 60, 140, 240)) + noise).astype(np.float32))
    assert ink is not None
    assert not ink.is_grainy


@pytest.mark.parametrize("width", [40, 60, 120, 160])
def test_an_edge_of_the_table_is_not_taken_for_ink(width: int) -> None:
    gray = stroke(300, 400, box=(280, 60, 300, 240))
    gray[:, :width] = 0.9
    ink = find_ink(gray)
    assert ink is not None
    assert ink.box == pytest.approx((280, 60, 300, 240), abs=5)


def test_specks_do_not_count() -> None:
    gray = stroke(box=(100, 60, 140, 240))
    gray[20:26, 250:256] = 1
    ink = find_ink(gray)
    assert ink is not None
    assert ink.box == pytest.approx((100, 60, 140, 240), abs=4)


def test_a_faint_thin_stroke_on_a_large_picture_is_found() -> None:
    ink = find_ink(stroke(1000, 1000, box=(500, 200, 504, 800)) * np.float32(0.3))
    assert ink is not None
    assert ink.box == pytest.approx((500, 200, 504, 800), abs=10)


def test_the_sharp_edge_of_a_shadow_does_not_count() -> None:
    gray = stroke(box=(120, 60, 135, 240)) * np.float32(0.5)
    y, x = np.mgrid[:300, :300]
    gray[x + y > 320] += 0.3
    ink = find_ink(gray)
    assert ink is not None
    assert ink.box == pytest.approx((120, 60, 135, 240), abs=6)


def test_ruled_lines_do_not_count() -> None:
    gray = stroke(box=(120, 60, 135, 240)) * np.float32(0.6)
    gray[20::50] += 0.2
    gray[21::50] += 0.2
    ink = find_ink(gray)
    assert ink is not None
    assert ink.box == pytest.approx((120, 60, 135, 240), abs=6)


def test_parts_of_one_drawing_count_together() -> None:
    gray = stroke(box=(100, 60, 140, 120)) + stroke(box=(100, 180, 140, 240))
    ink = find_ink(gray)
    assert ink is not None
    assert ink.box == pytest.approx((100, 60, 140, 240), abs=4)


def test_the_tables_edge_does_not_count_beside_a_digit() -> None:
    gray = stroke(box=(120, 60, 150, 240))
    gray[:, 280:] = 1
    ink = find_ink(gray)
    assert ink is not None
    assert ink.box == pytest.approx((120, 60, 150, 240), abs=4)


def test_ink_that_reaches_the_border_counts_if_there_is_no_other() -> None:
    ink = find_ink(stroke(box=(100, 0, 140, 150)))
    assert ink is not None
    assert ink.box == pytest.approx((100, 0, 140, 150), abs=4)


@pytest.mark.parametrize("contrast", [0.2, 0.5, 1.0])
def test_contrast_is_ink_above_paper(contrast: float) -> None:
    ink = find_ink(digit("8") * np.float32(contrast))
    assert ink is not None
    assert ink.contrast == pytest.approx(contrast, rel=0.1)


@pytest.mark.parametrize("width", [10, 20, 40])
def test_the_stroke_is_a_share_of_the_longer_side(width: int) -> None:
    ink = find_ink(stroke(box=(100, 50, 100 + width, 250)))
    assert ink is not None
    assert ink.stroke == pytest.approx(width / 200, rel=0.35)


class TestLabelComponents:
    @staticmethod
    def labels(*rows: str) -> list[str]:
        mask = np.array([[character == "#" for character in row] for row in rows])
        numbers = label_components(mask)
        names = {number: chr(ord("a") + at) for at, number in enumerate(np.unique(numbers[mask]))}
        return ["".join(names.get(number, ".") if number else "." for number in row) for row in numbers.tolist()]

    def test_diagonal_neighbours_belong_together(self) -> None:
        assert self.labels("#..", ".#.", "..#") == ["a..", ".a.", "..a"]

    def test_separate_pieces_have_separate_numbers(self) -> None:
        assert self.labels("#.#", "#.#", "...", "###") == ["a.b", "a.b", "...", "ccc"]

    def test_branches_that_meet_below_are_one_piece(self) -> None:
        assert self.labels("#.#.#", "#.#.#", "#####") == ["a.a.a", "a.a.a", "aaaaa"]

    def test_branches_that_meet_twice_are_one_piece(self) -> None:
        assert self.labels("#.#", "###", "#.#", "###") == ["a.a", "aaa", "a.a", "aaa"]

    def test_the_background_is_zero(self) -> None:
        assert not label_components(np.zeros((3, 4), np.bool_)).any()
