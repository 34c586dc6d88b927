"""Fit a picture to the size and polarity that a network takes, and restore the network's output."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.imaging.handwriting.digit import lies_like_mnist, place_digit
from app.imaging.handwriting.ink import find_ink
from app.imaging.handwriting.polarity import Polarity, judge_polarity
from app.imaging.placement import Placement, Size, put_back, resize
from app.imaging.samples import FloatImage, Samples, to_gray

Fit = Literal["stretch", "pad", "mnist"]


@dataclass(frozen=True)
class FittedImage:
    """The image for the network, and what is needed to restore its output.

    Attributes:
        image: of the network's shape (H, W) and polarity.
        polarity: that of the picture, or None if the network works with either.
        is_inverted: whether the picture's polarity differs from the network's.
        source_size: height and width of the picture.
        placement: where the picture was placed.
    """

    image: FloatImage
    polarity: Polarity | None
    is_inverted: bool
    source_size: Size
    placement: Placement


def fit_image(
    gray: FloatImage,
    *,
    size: Size,
    network_polarity: Polarity | None,
    fit: Fit,
    polarity: Polarity | Literal["auto"],
) -> FittedImage:
    """Fit a picture, shape (H, W), to a network's ``size`` (height, width) and polarity."""
    found = find_polarity(gray, network_polarity, polarity)
    image, placement = _place(1 - gray if found == "dark-on-light" else gray, size, fit)
    if network_polarity == "dark-on-light":
        image = 1 - image
        placement = placement.inverted()
    return FittedImage(
        image=image,
        polarity=found,
        is_inverted=found != network_polarity,
        source_size=(gray.shape[0], gray.shape[1]),
        placement=placement,
    )


def find_polarity(
    samples: Samples, network_polarity: Polarity | None, asked: Polarity | Literal["auto"]
) -> Polarity | None:
    """Return the polarity of a picture, as asked or judged from its gray; None if the network works with either."""
    if network_polarity is None:
        return None
    return judge_polarity(to_gray(samples)) if asked == "auto" else asked


def restore_image(denoised: FloatImage, fitted: FittedImage, *, to_source: bool) -> FloatImage:
    """Restore a network's output to the polarity of the picture and, if ``to_source``, to its size and place."""
    if to_source:
        denoised = put_back(denoised, fitted.placement, fitted.source_size)
    return 1 - denoised if fitted.is_inverted else denoised


def _place(gray: FloatImage, size: Size, fit: Fit) -> tuple[FloatImage, Placement]:
    """Place a light-on-dark picture.

    ``mnist`` pads if no ink is found, and if the noise is as coarse as strokes in a picture that lies like MNIST's: as
    good a place is not found in such noise.
    """
    height, width = gray.shape
    if fit == "mnist" and (ink := find_ink(gray)) and not (ink.is_grainy and lies_like_mnist(ink, gray.shape)):
        return place_digit(gray, ink, size)
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
