"""A picture at its own size: what a network of any size gets of it, and the result that it makes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app.imaging.noise.level import estimate_noise_level
from app.imaging.samples import (
    LUMA_NOISE,
    LUMA_WEIGHTS,
    BitDepth,
    FloatImage,
    Levels,
    Samples,
    is_gray,
    to_levels,
    to_unit,
)
from app.imaging.tiles import Rectangle


@dataclass(frozen=True)
class Pass:
    """A picture's way through the network: with all of its channels, or with one of them.

    ``read`` returns a part in [0, 1], of shape (h, w, C) with the channels of the network; ``write`` takes it denoised.
    ``is_colour`` says whether the network sees red, green and blue that differ somewhere in the picture.
    """

    read: Callable[[Rectangle], FloatImage]
    write: Callable[[Rectangle, FloatImage], None]
    is_colour: Callable[[], bool] = lambda: False

    def find_level(self, part: FloatImage, noise_level: float | None) -> float | None:
        """Return the level that the network is told for a part, given that of the picture.

        In a part that is gray though the picture is not, all channels have the noise of luma.
        """
        if noise_level is None or part.shape[-1] == 1 or not is_gray(part) or not self.is_colour():
            return noise_level
        return noise_level * LUMA_NOISE


class FullSizeImage:
    """A picture that is denoised at its own size.

    A network of three channels gets a gray picture in each of them, and the mean of its output is kept. A network of
    one channel gets the channels of a colour picture one by one.

    Args:
        samples: shape (H, W), gray, or (H, W, 3), RGB.
        is_inverted: whether the network gets the negative.
        bit_depth: that of the result.
    """

    def __init__(self, samples: Samples, *, is_inverted: bool = False, bit_depth: BitDepth = 8) -> None:
        self.height, self.width = samples.shape[:2]
        self._samples = samples.reshape(self.height, self.width, -1)
        self._is_inverted = is_inverted
        self._bit_depth = bit_depth
        self._levels: Levels = np.empty(self._samples.shape, np.uint8 if bit_depth == 8 else np.uint16)

    def passes(self, channels: int) -> list[Pass]:
        """Return what a network of so many channels has to denoise."""
        own = self._samples.shape[-1]
        if channels < own:
            return [self._pass(slice(channel, channel + 1), channels) for channel in range(own)]
        return [self._pass(slice(0, own), channels)]

    def estimate_noise_level(self) -> float:
        """Estimate the noise level, in [0, 1] units.

        That of colour is the level of white noise, of equal strength in all channels, that would put the same amount of
        noise into luma: there, noise is seen first, and found best, since cameras blur that of chroma.
        """
        weights = LUMA_WEIGHTS if self._samples.shape[-1] > 1 else np.ones(1, np.float32)

        def read_rows(first: int, last: int) -> FloatImage:
            return np.asarray(to_unit(self._samples[first:last]) @ weights)

        return estimate_noise_level(read_rows, self.height, self.width) / float(np.linalg.norm(weights))

    def finish(self) -> Levels:
        """Return the levels of the result, (H, W) or (H, W, 3), once every part of every pass has been written."""
        return self._levels[..., 0] if self._levels.shape[-1] == 1 else self._levels

    def _pass(self, own: slice, channels: int) -> Pass:
        mean_of_channels = np.full(channels, 1 / channels, np.float32)  # in a twentieth of the time of ndarray.mean

        def read(part: Rectangle) -> FloatImage:
            image = to_unit(self._samples[(*part, own)])
            image = 1 - image if self._is_inverted else image
            return image if image.shape[-1] == channels else np.repeat(image, channels, axis=-1)

        def write(part: Rectangle, denoised: FloatImage) -> None:
            if channels > own.stop - own.start:
                denoised = (denoised @ mean_of_channels)[..., None]
            self._levels[(*part, own)] = to_levels(1 - denoised if self._is_inverted else denoised, self._bit_depth)

        return Pass(read, write, is_colour=lambda: own.stop - own.start > 1)
