"""Place a part of a picture in the image for a network, and put the denoised image back."""

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from app.imaging.samples import FloatImage

Size = tuple[int, int]
Box = tuple[float, float, float, float]

MARGIN = 2  # pixels of the network's image around a digit that its soft edges reach


@dataclass(frozen=True)
class Placement:
    """Which part of a picture is which part of the network's image.

    Attributes:
        box: left, top, right, bottom in pixels of the picture.
        window: left, top, right, bottom in pixels of the network's image.
        background: gray of the rest of the picture, or None if the box is the whole picture.
    """

    box: Box
    window: tuple[int, int, int, int]
    background: float | None = None

    def inverted(self) -> "Placement":
        """Return the placement for the negative."""
        return self if self.background is None else replace(self, background=1 - self.background)


def put_back(denoised: FloatImage, placement: Placement, source_size: Size) -> FloatImage:
    """Put a network's image, shape (H, W), back to its place in a picture of ``source_size`` (height, width)."""
    left, top, right, bottom = placement.box
    x0, y0, x1, y1 = placement.window
    if placement.background is None:
        return resize(denoised[y0:y1, x0:x1], source_size)
    columns, from_x, to_x = _spread((left, right), (x0, x1), denoised.shape[1], source_size[1])
    rows, from_y, to_y = _spread((top, bottom), (y0, y1), denoised.shape[0], source_size[0])
    patch_size = rows.stop - rows.start, columns.stop - columns.start
    canvas = np.full(source_size, placement.background, np.float32)
    canvas[rows, columns] = resize(denoised, patch_size, box=(from_x, from_y, to_x, to_y))
    return canvas


def _spread(
    span: tuple[float, float], window: tuple[int, int], network_px: int, picture_px: int
) -> tuple[slice, float, float]:
    """Return, for one axis, the picture's pixels that digit and margin cover, and the start and stop of their source.

    What would lie outside the picture is left out before scaling, so that it takes no memory.
    """
    step = (span[1] - span[0]) / (window[1] - window[0])
    grown = max(0, window[0] - MARGIN), min(network_px, window[1] + MARGIN)
    first = max(0, round(span[0] + (grown[0] - window[0]) * step))
    last = min(picture_px, max(first + 1, round(span[0] + (grown[1] - window[0]) * step)))
    start, stop = (window[0] + (edge - span[0]) / step for edge in (first, last))
    return slice(first, last), max(0.0, start), min(float(network_px), stop)


def resize(gray: FloatImage, size: Size, box: Box | None = None) -> FloatImage:
    """Resize shape (H, W) to ``size`` (height, width), each axis by its own scale: averaging down, bicubic up.

    ``box`` (left, top, right, bottom) selects a part.
    """
    if box is None and gray.shape == size:
        return gray
    left, top, right, bottom = box or (0, 0, gray.shape[1], gray.shape[0])
    shrinks = bottom - top >= size[0] and right - left >= size[1]
    resample = Image.Resampling.BOX if shrinks else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(np.ascontiguousarray(gray)).resize(size[::-1], resample, box=box))
