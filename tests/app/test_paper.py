import numpy as np
import pytest

from app.images import FloatImage
from app.paper import fit_paper, paper_level, shrink

WHOLE = (0.0, 0.0, 1.0, 1.0)


def surface(height: int, width: int) -> FloatImage:
    y, x = (np.mgrid[0:height, 0:width] + 0.5) / np.array([height, width])[:, None, None]
    return np.asarray(0.2 + 0.3 * x - 0.1 * y + 0.2 * x * x - 0.15 * x * y + 0.1 * y * y, np.float32)


@pytest.mark.parametrize("is_dark", [True, False], ids=["ink is lighter", "ink is unknown"])
def test_a_quadratic_shade_is_found_exactly(*, is_dark: bool) -> None:
    paper = surface(60, 80)
    np.testing.assert_allclose(paper_level(fit_paper(paper, is_dark=is_dark), WHOLE, paper.shape), paper, atol=1e-3)


def test_lighter_ink_does_not_pull_the_paper_up() -> None:
    paper = surface(60, 80)
    drawn = paper.copy()
    drawn[20:40, 30:40] += 0.5
    np.testing.assert_allclose(paper_level(fit_paper(drawn), WHOLE, paper.shape), paper, atol=0.01)


@pytest.mark.parametrize("contrast", [-0.4, 0.4], ids=["darker", "lighter"])
def test_ink_of_unknown_polarity_is_left_out(contrast: float) -> None:
    paper = surface(60, 80)
    drawn = paper.copy()
    drawn[20:40, 30:40] += contrast
    level = paper_level(fit_paper(drawn, is_dark=False), WHOLE, paper.shape)
    np.testing.assert_allclose(level, paper, atol=0.02)


def test_the_level_of_a_part_is_that_part_of_the_whole() -> None:
    paper = fit_paper(surface(60, 80))
    whole = paper_level(paper, WHOLE, (60, 80))
    np.testing.assert_allclose(paper_level(paper, (0.25, 0.5, 0.75, 1), (30, 40)), whole[30:, 20:60], atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((100, 200), (40, 80)), ((200, 100), (80, 40)), ((80, 10), (80, 10)), ((1, 40000), (1, 80))],
    ids=str,
)
def test_a_picture_is_shrunk_to_its_longer_side(shape: tuple[int, int], expected: tuple[int, int]) -> None:
    assert shrink(np.zeros(shape, np.float32), 80).shape == expected


def test_shrinking_averages() -> None:
    gray = np.indices((80, 80)).sum(axis=0) % 2
    np.testing.assert_allclose(shrink(gray.astype(np.float32), 40), 0.5)
