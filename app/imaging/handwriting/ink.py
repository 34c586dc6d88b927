"""Find the handwriting in a picture: even out the paper, separate ink from noise, find its box."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.imaging.handwriting.paper import MAD_TO_SIGMA, find_shade, fit_paper, paper_level, shrink
from app.imaging.samples import WHITE_8, FloatImage

ANALYSIS_PX = 240  # the longer side of the copy that is searched is at most this
MIN_CONTRAST = 0.03  # ink is at least this much lighter than the paper, in the [0, 1] range,
MIN_SPREADS = 4  # and by at least this many standard deviations of the noise
NOISE_LEFT = 0.32  # blurring leaves this share of the noise that it removes: 0.27 of all noise
GRAINS_PX = 30  # in a copy of so few pixels, only noise is left that is as coarse as strokes:
GRAINY = 0.1  # it is if it has this share of the ink's contrast; drawings without noise have 0.03
GRAINS_ZOOM = 4
SPECK_SHARE = 0.1  # a connected piece below this share of the largest is dirt
INNER_SHARE = 0.02  # the largest piece off the border is the digit if it has this share of the largest of all
INK_PERCENTILE = 75  # of the ink's brightness; counts as full ink


@dataclass(frozen=True)
class Ink:
    """Where the ink is in a light-on-dark picture.

    Attributes:
        box: left, top, right, bottom in pixels of the picture; right and bottom are exclusive.
        paper: brightness of the paper under the whole picture, in fewer pixels.
        contrast: brightness of full ink above the paper.
        stroke: width of the strokes as a share of the box's longer side.
        is_grainy: whether the noise is as coarse as the strokes, so that the box is vague.
    """

    box: tuple[float, float, float, float]
    paper: FloatImage
    contrast: float
    stroke: float
    is_grainy: bool


def find_ink(gray: FloatImage) -> Ink | None:
    """Find the ink in a light-on-dark picture, shape (H, W); return None if nothing stands out from the paper."""
    height, width = gray.shape
    grains = _even_out(shrink(gray, GRAINS_PX))
    is_grainy = grains.noise > GRAINY * float(np.percentile(grains.smooth, 99))
    small = _smoothen(grains) if is_grainy else _even_out(shrink(gray, ANALYSIS_PX), finds_shade=True)
    mask = _ink_mask(small.smooth, noise=NOISE_LEFT * small.noise)
    if not mask.any():
        return None
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    left, right = columns[0] * width / mask.shape[1], (columns[-1] + 1) * width / mask.shape[1]
    top, bottom = rows[0] * height / mask.shape[0], (rows[-1] + 1) * height / mask.shape[0]
    contrast = float(np.percentile(small.above[mask], INK_PERCENTILE))
    stroke = _stroke_width(mask) / max(len(rows), len(columns))
    return Ink((left, top, right, bottom), small.paper, contrast, stroke, is_grainy)


class _Evened(NamedTuple):
    """A picture in few pixels, (H, W): its paper, what is above it, the same blurred, and what the blur removed."""

    paper: FloatImage
    above: FloatImage
    smooth: FloatImage
    noise: float


def _even_out(small: FloatImage, *, finds_shade: bool = False) -> _Evened:
    """Subtract the paper, with the edges of shadows and ruled lines if asked."""
    paper = paper_level(fit_paper(small), (0, 0, 1, 1), small.shape)
    if finds_shade:
        paper = paper + find_shade(_blur(small - paper))
    above = small - paper
    smooth = _blur(above)
    return _Evened(paper, above, smooth, MAD_TO_SIGMA * float(np.median(np.abs(above - smooth))))


def _smoothen(grains: _Evened) -> _Evened:
    """Blur once more, and enlarge, so that a box can end between pixels."""
    smooth = _enlarge(_blur(grains.smooth))
    return _Evened(_enlarge(grains.paper), _enlarge(grains.above), smooth, grains.noise)


def _enlarge(values: FloatImage) -> FloatImage:
    height, width = values.shape
    size = GRAINS_ZOOM * width, GRAINS_ZOOM * height
    return np.asarray(Image.fromarray(values.astype(np.float32)).resize(size, Image.Resampling.BICUBIC))


def _blur(gray: FloatImage) -> FloatImage:
    """Weight neighbours by 1 4 6 4 1 in both directions, which removes noise and keeps thin strokes."""
    for axis in (0, 1):
        padding = [(0, 0), (0, 0)]
        padding[axis] = (2, 2)
        wide = np.moveaxis(np.pad(gray, padding, mode="edge"), axis, 0) / np.float32(16)
        smooth = wide[:-4] + wide[4:] + 4 * (wide[1:-3] + wide[3:-1]) + 6 * wide[2:-2]
        gray = np.moveaxis(smooth, 0, axis)
    return gray


def _ink_mask(above: FloatImage, *, noise: float) -> NDArray[np.bool_]:
    """Return which pixels are ink: those above Otsu's threshold, without specks."""
    peak = max(float(above.max()), 1e-6)
    levels = (np.clip(above / peak, 0, 1) * WHITE_8).astype(np.uint8)
    mask = levels > _otsu_threshold(levels)
    if not mask.any() or above[mask].mean(dtype=np.float64) < max(MIN_CONTRAST, MIN_SPREADS * noise):
        return np.zeros_like(mask)
    labels = label_components(mask)
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    inner = areas.copy()
    inner[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = 0
    if inner.max() >= INNER_SHARE * areas.max():  # shadows and the table's edge reach the border; digits seldom do
        areas = inner
    return np.asarray((areas >= max(1, SPECK_SHARE * areas.max()))[labels])


def _otsu_threshold(levels: NDArray[np.uint8]) -> int:
    """Return the threshold that maximises the variance between two classes (Otsu 1979, eq. 18)."""
    share = np.bincount(levels.ravel(), minlength=256) / levels.size
    below = np.cumsum(share)
    mean_below = np.cumsum(share * np.arange(256))
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (mean_below[-1] * below - mean_below) ** 2 / (below * (1 - below))
    return int(np.argmax(np.nan_to_num(between, posinf=0)))


def label_components(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Number the 8-connected components of a mask from 1; 0 is the background. Union-find over runs, in two passes."""
    parent = [0]

    def root(label: int) -> int:
        while parent[label] != label:
            parent[label] = parent[parent[label]]
            label = parent[label]
        return label

    labels = np.zeros(mask.shape, np.intp)
    above: list[tuple[int, int, int]] = []
    for row, pixels in enumerate(mask):
        edges = np.flatnonzero(np.diff(pixels, prepend=False, append=False)).reshape(-1, 2).tolist()
        runs = []
        for start, stop in edges:
            touching = [root(label) for first, last, label in above if first <= stop and last >= start]
            label = min(touching, default=len(parent))
            if not touching:
                parent.append(label)
            for other in touching:
                parent[other] = label
            labels[row, start:stop] = label
            runs.append((start, stop, label))
        above = runs
    return np.array([root(label) for label in range(len(parent))])[labels]


def _stroke_width(mask: NDArray[np.bool_]) -> float:
    """Return the width of a long thin shape in pixels: twice its area over its perimeter."""
    padded = np.pad(mask, 1)
    perimeter = np.count_nonzero(padded[1:] != padded[:-1]) + np.count_nonzero(padded[:, 1:] != padded[:, :-1])
    return 2 * np.count_nonzero(mask) / perimeter * 1.27  # a staircase is 4/pi longer than the line it follows
