"""Model the paper under the ink as a smooth surface, fitted to the part of a picture that is not drawn on."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.imaging.samples import FloatImage

POWERS_OF_X, POWERS_OF_Y = np.array([0, 1, 0, 2, 1, 0]), np.array([0, 0, 1, 0, 1, 2])  # of 1, x, y, x², xy, y²
ROUNDS = 4
OUTLIER_SPREADS = 2.5  # pixels further from the paper than this many standard deviations are not paper
SHADE_SHARE = 0.3  # of the longer side: what is lighter over more than this in both directions is paper
LINE_SHARE = 0.9  # of the width: what is lighter over more than this is a ruled line, if it is thin:
LINE_THICKNESS = 0.03  # at most this share of the longer side
MAD_TO_SIGMA = 1.4826  # the standard deviation of a normal distribution over its median absolute deviation
SMOOTHEST_SPREAD = 0.008  # assumed for even paper, so that rounding to 8 bits does not count as drawing


def shrink(gray: FloatImage, longest_px: int) -> FloatImage:
    """Shrink a picture, shape (H, W), by averaging, until its longer side is at most ``longest_px``."""
    height, width = gray.shape
    scale = longest_px / max(height, width)
    if scale >= 1:
        return gray
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(np.ascontiguousarray(gray)).resize(size, Image.Resampling.BOX))


def fit_paper(small: FloatImage, *, ink: Literal["lighter", "unknown"] = "lighter") -> NDArray[np.float64]:
    """Fit a quadratic surface by least squares, and in each round leave out what deviates from the last fit.

    Args:
        small: shape (H, W); some ten thousand pixels are plenty.
        ink: whether it is known to be lighter than the paper; then only lighter pixels are left out.

    Returns:
        Coefficients of 1, x, y, x², xy, y², where x and y run from 0 to 1 across the picture.
    """
    is_lighter = ink == "lighter"
    y, x = (np.vander((np.arange(length) + 0.5) / length, 5, increasing=True) for length in small.shape)
    values = small.astype(np.float64)
    is_paper = small <= np.percentile(small, 75) if is_lighter else np.ones(values.shape, np.bool_)
    paper = np.zeros(len(POWERS_OF_X))
    for _ in range(ROUNDS):
        # The normal equations need sums of x^i y^j over the paper; columns and rows are summed one after the other.
        weights = is_paper.astype(np.float64)
        moments = (y.T @ weights @ x)[np.add.outer(POWERS_OF_Y, POWERS_OF_Y), np.add.outer(POWERS_OF_X, POWERS_OF_X)]
        products = (y.T @ (weights * values) @ x)[POWERS_OF_Y, POWERS_OF_X]
        paper = np.linalg.lstsq(moments, products, rcond=None)[0]
        residual = values - _evaluate(paper, x, y)
        deviations = np.abs(residual[is_paper]).astype(np.float32)  # NumPy finds medians of float32 eight times as fast
        spread = MAD_TO_SIGMA * float(np.median(deviations))
        limit = OUTLIER_SPREADS * max(spread, SMOOTHEST_SPREAD)
        is_paper = (residual if is_lighter else np.abs(residual)) < limit
    return paper


def find_shade(above: FloatImage) -> FloatImage:
    """Find lighter paper that the smooth surface misses, shape (H, W): the edges of shadows, and ruled lines.

    An opening keeps what its window fits into; no stroke is as broad as the first window or as long as the second.
    """
    longer = max(above.shape)
    window = max(1, round(SHADE_SHARE * longer))
    broad = open_gray(above, rows=window, columns=window)
    lines = open_gray(above, rows=1, columns=max(1, round(LINE_SHARE * above.shape[1])))
    lines = lines - open_gray(lines, rows=max(2, round(LINE_THICKNESS * longer)), columns=1)
    return np.maximum(np.maximum(broad, lines), 0)


def open_gray(gray: FloatImage, *, rows: int, columns: int) -> FloatImage:
    """Take the minimum over a window around each pixel, then the maximum (a gray opening).

    Outside, the border is repeated, so what lies along the border must reach half a window into the picture.
    """
    for axis, length in enumerate((rows, columns)):
        gray = _slide(np.minimum, gray, axis=axis, before=(length - 1) // 2, after=length // 2)
    for axis, length in enumerate((rows, columns)):
        gray = _slide(np.maximum, gray, axis=axis, before=length // 2, after=(length - 1) // 2)
    return gray


def _slide(
    choose: Callable[[FloatImage, FloatImage], FloatImage], gray: FloatImage, *, axis: int, before: int, after: int
) -> FloatImage:
    """Apply ``choose`` over a window along one axis, by doubling the window step by step."""
    along = np.moveaxis(gray, axis, 0)
    wide = np.pad(along, ((before, after), (0, 0)), mode="edge")
    length, reached = before + 1 + after, 1
    while reached < length:
        step = min(reached, length - reached)
        wide = choose(wide[:-step], wide[step:])
        reached += step
    return np.moveaxis(wide, 0, axis)


def paper_level(
    paper: NDArray[np.float64], box: tuple[float, float, float, float], shape: tuple[int, ...]
) -> FloatImage:
    """Evaluate the brightness of the paper on a grid over a part of the picture.

    Args:
        paper: coefficients from fit_paper.
        box: left, top, right, bottom as shares of the picture's width and height.
        shape: rows and columns of the grid.

    Returns:
        The brightness, float32, of that shape.
    """
    left, top, right, bottom = box
    x = left + (right - left) * (np.arange(shape[1]) + 0.5) / shape[1]
    y = top + (bottom - top) * (np.arange(shape[0]) + 0.5) / shape[0]
    return _evaluate(paper, *(np.vander(axis, 3, increasing=True) for axis in (x, y))).astype(np.float32)


def _evaluate(paper: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the surface, shape (H, W), from rows of the powers 1, x, x² (and higher) of each column, and of y."""
    coefficients = np.zeros((3, 3))
    coefficients[POWERS_OF_Y, POWERS_OF_X] = paper
    surface: NDArray[np.float64] = y[:, :3] @ coefficients @ x[:, :3].T
    return surface
