"""Bring a picture to the size and polarity that a network takes, and its answer back."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from PIL import Image, ImageFilter

from app.images import FloatImage
from app.ink import Ink, find_ink
from app.metadata import Polarity
from app.polarity import judge_polarity

Fit = Literal["stretch", "pad", "mnist"]
Size = tuple[int, int]
Box = tuple[float, float, float, float]

MNIST_SHARE = 20 / 28  # MNIST's digits fill 20 of 28 pixels, http://yann.lecun.com/exdb/mnist/
MNIST_STROKE = 0.11  # MNIST's strokes are a little over 2 of 20 pixels wide
MARGIN = 2  # pixels of the network's image around a digit, where its soft edges end
WORKING_PX = 160  # the longer side of a digit while its strokes are widened


@dataclass(frozen=True)
class Placement:
    """Which part of the picture became which part of the network's image.

    Attributes:
        box: left, top, right, bottom in pixels of the picture.
        window: left, top, right, bottom in pixels of the network's image.
        background: gray of the rest of the picture, or None where the box is the whole picture.
    """

    box: Box
    window: tuple[int, int, int, int]
    background: float | None = None


@dataclass(frozen=True)
class FittedImage:
    """What the network gets, and what it takes to turn its answer back.

    Attributes:
        image: shape (H, W) of the network, in the network's polarity.
        polarity: the picture's polarity, or None where the network does not ask.
        is_inverted: the picture's polarity is not the network's.
        source_size: height and width of the picture.
        placement: where the picture went, or None where the network takes any size.
    """

    image: FloatImage
    polarity: Polarity | None
    is_inverted: bool
    source_size: Size
    placement: Placement | None


def fit_image(
    gray: FloatImage,
    *,
    size: Size | None,
    network_polarity: Polarity | None,
    fit: Fit,
    polarity: Polarity | Literal["auto"],
) -> FittedImage:
    """Bring a picture, shape (H, W), to a network's ``size`` (height, width; None: any) and polarity."""
    source_size = (gray.shape[0], gray.shape[1])
    found = None
    if network_polarity is not None:
        found = judge_polarity(gray) if polarity == "auto" else polarity
    is_inverted = found != network_polarity
    if is_inverted:
        gray = 1 - gray
    placement = None
    if size is not None:
        gray, placement = _place(gray, size, fit, is_light_on_dark=network_polarity != "dark-on-light")
    return FittedImage(
        image=gray, polarity=found, is_inverted=is_inverted, source_size=source_size, placement=placement
    )


def restore_image(denoised: FloatImage, fitted: FittedImage, *, to_source: bool) -> FloatImage:
    """Turn a network's answer back to the picture's polarity and, if ``to_source``, to its size and place."""
    if to_source and fitted.placement is not None:
        denoised = _put_back(denoised, fitted.placement, fitted.source_size)
    return 1 - denoised if fitted.is_inverted else denoised


def _place(gray: FloatImage, size: Size, fit: Fit, *, is_light_on_dark: bool) -> tuple[FloatImage, Placement]:
    height, width = gray.shape
    if fit == "mnist" and (ink := find_ink(gray if is_light_on_dark else 1 - gray)):
        if is_light_on_dark:
            return _place_digit(gray, ink, size)
        image, placement = _place_digit(1 - gray, ink, size)
        return 1 - image, replace(placement, background=1.0)
    if fit == "stretch":
        return resize(gray, size), Placement((0, 0, width, height), (0, 0, size[1], size[0]))
    scale = min(size[0] / height, size[1] / width)
    inner = max(1, round(height * scale)), max(1, round(width * scale))
    top, left = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    border = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    canvas = np.full(size, np.median(border), np.float32)
    window = (left, top, left + inner[1], top + inner[0])
    canvas[top : window[3], left : window[2]] = resize(gray, inner)
    return canvas, Placement((0, 0, width, height), window)


def _place_digit(light: FloatImage, ink: Ink, size: Size) -> tuple[FloatImage, Placement]:
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
    """Crop the ink's box, take the paper away, bring full ink to 1 and thin strokes to MNIST's width."""
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
        levels = Image.fromarray(np.clip(digit * 255, 0, 255).astype(np.uint8))
        levels = levels.filter(ImageFilter.MedianFilter(3)).filter(ImageFilter.MaxFilter(widen // 2 * 2 + 1))
        digit = np.asarray(levels, np.float32) / 255
    return np.asarray(np.minimum(digit, 1), np.float32)


def _put_back(denoised: FloatImage, placement: Placement, source_size: Size) -> FloatImage:
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
    """Along one axis: the pixels of the picture that the digit and its margin cover, and from where to where they come.

    What would lie outside the picture is left out before it is scaled, so that it costs no memory.
    """
    step = (span[1] - span[0]) / (window[1] - window[0])
    grown = max(0, window[0] - MARGIN), min(network_px, window[1] + MARGIN)
    first = max(0, round(span[0] + (grown[0] - window[0]) * step))
    last = min(picture_px, max(first + 1, round(span[0] + (grown[1] - window[0]) * step)))
    start, stop = (window[0] + (edge - span[0]) / step for edge in (first, last))
    return slice(first, last), max(0.0, start), min(float(network_px), stop)


def resize(gray: FloatImage, size: Size, box: Box | None = None) -> FloatImage:
    """Resize shape (H, W) to ``size`` (height, width): averaging down, bicubic up, sized by each axis's own scale.

    ``box`` (left, top, right, bottom) takes a part only.
    """
    if box is None and gray.shape == size:
        return gray
    left, top, right, bottom = box or (0, 0, gray.shape[1], gray.shape[0])
    shrinks = bottom - top >= size[0] and right - left >= size[1]
    resample = Image.Resampling.BOX if shrinks else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(np.ascontiguousarray(gray)).resize(size[::-1], resample, box=box))
