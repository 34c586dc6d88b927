"""Place a handwritten digit like those of MNIST."""

import numpy as np
from PIL import Image, ImageFilter

from app.imaging.handwriting.ink import Ink
from app.imaging.placement import Placement, Size, resize
from app.imaging.samples import WHITE_8, FloatImage

MNIST_SHARE = 20 / 28  # MNIST's digits fill 20 of 28 pixels, http://yann.lecun.com/exdb/mnist/
MIN_MNIST_SHARE, MAX_OFF_CENTRE = 0.5, 0.15  # of the picture's side; boxes of grainy ink are off by a tenth
MNIST_STROKE = 0.11  # MNIST's strokes are a little over 2 of 20 pixels wide
WORKING_PX = 160  # the longer side of a digit while its strokes are widened


def lies_like_mnist(ink: Ink, size: Size) -> bool:
    """Return whether the ink of a picture of ``size`` (height, width) fills about as much of it as MNIST's does."""
    left, top, right, bottom = ink.box
    height, width = size
    share = max((right - left) / width, (bottom - top) / height)
    off_centre = max(abs((left + right) / width - 1), abs((top + bottom) / height - 1)) / 2
    return share > MIN_MNIST_SHARE and off_centre < MAX_OFF_CENTRE


def place_digit(light: FloatImage, ink: Ink, size: Size) -> tuple[FloatImage, Placement]:
    """Scale the ink to MNIST's share of the image and centre it by its mass, as MNIST was made."""
    left, top, right, bottom = ink.box
    longer = max(right - left, bottom - top)
    digit = _cut_out(light, ink, longer)
    share = MNIST_SHARE * min(size)
    inner = max(1, round((bottom - top) / longer * share)), max(1, round((right - left) / longer * share))
    digit = resize(digit, inner)
    mass = np.clip(digit, 0, None)
    total = max(float(mass.sum()), 1e-6)
    centre_y = float((mass.sum(axis=1) * (np.arange(inner[0]) + 0.5)).sum()) / total
    centre_x = float((mass.sum(axis=0) * (np.arange(inner[1]) + 0.5)).sum()) / total
    y = min(max(0, round(size[0] / 2 - centre_y)), size[0] - inner[0])
    x = min(max(0, round(size[1] / 2 - centre_x)), size[1] - inner[1])
    canvas = np.zeros(size, np.float32)
    canvas[y : y + inner[0], x : x + inner[1]] = digit
    return canvas, Placement(ink.box, (x, y, x + inner[1], y + inner[0]), background=0.0)


def _cut_out(light: FloatImage, ink: Ink, longer: float) -> FloatImage:
    """Crop the ink's box, subtract the paper, scale full ink to 1 and widen thin strokes to those of MNIST."""
    left, top, right, bottom = ink.box
    scale = min(1.0, WORKING_PX / longer)
    shape = max(1, round((bottom - top) * scale)), max(1, round((right - left) * scale))
    crop = np.asarray(Image.fromarray(light).resize(shape[::-1], Image.Resampling.BOX, box=ink.box))
    in_x, in_y = ink.paper.shape[1] / light.shape[1], ink.paper.shape[0] / light.shape[0]
    under = (left * in_x, top * in_y, right * in_x, bottom * in_y)
    paper = np.asarray(Image.fromarray(ink.paper).resize(shape[::-1], Image.Resampling.BILINEAR, box=under))
    digit = (crop - paper) / max(ink.contrast, 1e-3)
    widen = round((MNIST_STROKE - ink.stroke) * max(shape))
    if widen >= 2:
        levels = Image.fromarray(np.clip(digit * WHITE_8, 0, WHITE_8).astype(np.uint8))
        levels = levels.filter(ImageFilter.MedianFilter(3)).filter(ImageFilter.MaxFilter(widen // 2 * 2 + 1))
        digit = np.asarray(levels, np.float32) / WHITE_8
    return np.asarray(np.minimum(digit, 1), np.float32)
