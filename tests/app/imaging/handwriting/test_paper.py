from typing import Literal

import numpy as np
import pytest

from app.imaging.handwriting.paper import find_shade, fit_paper, open_gray, paper_level, shrink
from app.imaging.samples import FloatImage

WHOLE = (0.0, 0.0, 1.0, 1.0)


def surface(height: int, width: int) -> FloatImage:
    y, x = (np.mgrid[0:height, 0:width] + 0.5) / np.array([height, width])[:, None, None]
    return np.asarray(0.2 + 0.3 * x - 0.1 * y + 0.2 * x * x - 0.15 * x * y + 0.1 * y * y, np.float32)


@pytest.mark.parametrize("ink", ["lighter", "unknown"])
def test_a_quadratic_shade_is_found_exactly(ink: Literal["lighter", "unknown"]) -> None:
    paper = surface(60, 80)
    np.testing.assert_allclose(paper_level(fit_paper(paper, ink=ink), WHOLE, paper.shape), paper, atol=1e-3)


def test_lighter_ink_does_not_raise_the_paper() -> None:
    paper = surface(60, 80)
    drawn = paper.copy()
    drawn[20:40, 30:40] += 0.5
    np.testing.assert_allclose(paper_level(fit_paper(drawn), WHOLE, paper.shape), paper, atol=0.01)


@pytest.mark.parametrize("contrast", [-0.4, 0.4], ids=["darker", "lighter"])
def test_ink_of_unknown_polarity_is_left_out(contrast: float) -> None:
    paper = surface(60, 80)
    drawn = paper.copy()
    drawn[20:40, 30:40] += contrast
    level = paper_level(fit_paper(drawn, ink="unknown"), WHOLE, paper.shape)
    np.testing.assert_allclose(level, paper, atol=0.02)


def test_a_part_of_the_paper_is_that_part_of_the_whole() -> None:
    paper = fit_paper(surface(60, 80))
    whole = paper_level(paper, WHOLE, (60, 80))
    np.testing.assert_allclose(paper_level(paper, (0.25, 0.5, 0.75, 1), (30, 40)), whole[30:, 20:60], atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((100, 200), (40, 80)), ((200, 100), (80, 40)), ((80, 10), (80, 10)), ((1, 40000), (1, 80))],
    ids=str,
)
def test_a_picture_is_shrunk_by_its_longer_side(shape: tuple[int, int], expected: tuple[int, int]) -> None:
    assert shrink(np.zeros(shape, np.float32), 80).shape == expected


def test_shrinking_averages() -> None:
    gray = np.indices((80, 80)).sum(axis=0) % 2
    np.testing.assert_allclose(shrink(gray.astype(np.float32), 40), 0.5)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (3, 3), (4, 1), (1, 7), (2, 5)])
def test_an_opening_keeps_what_the_window_fits_into(rows: int, columns: int) -> None:
    gray = np.zeros((20, 30), np.float32)
    gray[5 : 5 + rows, 8 : 8 + columns] = 1
    assert np.array_equal(open_gray(gray, rows=rows, columns=columns), gray)
    assert not open_gray(gray, rows=rows + 1, columns=columns).any()
    assert not open_gray(gray, rows=rows, columns=columns + 1).any()


def test_the_border_continues_outside_for_half_a_window() -> None:
    gray = np.zeros((20, 30), np.float32)
    gray[:3, 25:] = 1
    assert np.array_equal(open_gray(gray, rows=5, columns=9), gray)
    assert not open_gray(gray, rows=7, columns=9).any()


def test_a_broad_shadow_and_a_thin_line_are_shade_but_a_stroke_is_not() -> None:
    shadow, line, stroke = np.zeros((3, 100, 100), np.float32)
    shadow[40:, 60:] = 0.5
    line[20] = 0.25
    stroke[10:90, 30:40] = 1
    np.testing.assert_allclose(find_shade(shadow + line), shadow + line)
    assert not find_shade(stroke).any()


def test_a_broad_bar_across_the_picture_is_not_a_line() -> None:
    bar = np.zeros((100, 100), np.float32)
    bar[10:20] = 1
    assert not find_shade(bar).any()
