"""A picture at its own size: the planes that a network of any size denoises, and the result that they make."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from app.imaging.chroma import HALF_NOISE, CompactImage, RgbImage, halve_chroma, luma, merge_color
from app.imaging.noise_level import estimate_noise_level
from app.imaging.samples import BitDepth, FloatImage, Levels, Samples, to_levels, to_unit
from app.imaging.tiles import Rectangle

GRAY_CHROMA = np.float32(0.5)  # added to chroma, so that its values lie around the middle of the network's range


@dataclass(frozen=True)
class Plane:
    """One channel to denoise, whose parts are read and written in [0, 1].

    ``noise_level`` is what the network receives, in [0, 1] units; None for one that takes none.
    """

    height: int
    width: int
    noise_level: float | None
    read: Callable[[Rectangle], FloatImage]
    write: Callable[[Rectangle, FloatImage], None]


class FullSizeImage(Protocol):
    """A picture that is denoised at its own size."""

    def planes(self, noise_level: float | None) -> list[Plane]:
        """Return the planes for the network; ``noise_level`` is what it receives, in [0, 1] units, or None."""
        ...

    def estimate_noise_level(self) -> float:
        """Estimate the standard deviation of the noise, in [0, 1] units; of a colour picture, that of its luma."""
        ...

    def finish(self) -> Levels:
        """Return the result of the denoised planes, shape (H, W), or (H, W, 3) for RGB."""
        ...


class GrayImage:
    """A gray picture; its result is stored as levels at the size of the picture.

    Args:
        samples: shape (H, W).
        is_inverted: whether the network gets the negative.
        bit_depth: that of the result.
    """

    def __init__(self, samples: Samples, *, is_inverted: bool = False, bit_depth: BitDepth = 8) -> None:
        self._samples = samples
        self._size = samples.shape[0], samples.shape[1]
        self._is_inverted = is_inverted
        self._bit_depth = bit_depth
        self._levels: Levels = np.empty(samples.shape, np.uint8 if bit_depth == 8 else np.uint16)

    def planes(self, noise_level: float | None) -> list[Plane]:
        """Return the picture as the only plane."""
        height, width = self._size
        return [Plane(height, width, noise_level, self._read, self._write)]

    def estimate_noise_level(self) -> float:
        """Estimate the noise level from the samples."""
        height, width = self._size
        return estimate_noise_level(lambda first, last: to_unit(self._samples[first:last]), height, width)

    def finish(self) -> Levels:
        """Return the levels, once every part has been written."""
        return self._levels

    def _read(self, part: Rectangle) -> FloatImage:
        gray = to_unit(self._samples[part])
        return 1 - gray if self._is_inverted else gray

    def _write(self, part: Rectangle, denoised: FloatImage) -> None:
        self._levels[part] = to_levels(1 - denoised if self._is_inverted else denoised, self._bit_depth)


class ColorImage:
    """A colour picture: luma is denoised at its own size, chroma at half of it; see app.imaging.chroma.

    Args:
        rgb: shape (H, W, 3).
        is_inverted: whether the network gets the negative of the luma.
    """

    def __init__(self, rgb: RgbImage, *, is_inverted: bool = False) -> None:
        self._rgb = rgb
        self._is_inverted = is_inverted
        self._luma = np.empty(rgb.shape[:2], np.float16)
        self._noisy_halves = halve_chroma(rgb)
        self._denoised_halves = np.empty_like(self._noisy_halves)
        self._noise_level = 0.0

    def planes(self, noise_level: float | None) -> list[Plane]:
        """Return luma, Cb and Cr."""
        self._noise_level = self.estimate_noise_level() if noise_level is None else noise_level
        half_level = None if noise_level is None else noise_level * HALF_NOISE
        height, width = self._rgb.shape[:2]
        half_height, half_width = self._noisy_halves.shape[1:3]
        return [
            Plane(height, width, noise_level, self._read_luma, self._write_luma),
            *(
                Plane(half_height, half_width, half_level, _reader(noisy), _writer(denoised))
                for noisy, denoised in zip(self._noisy_halves, self._denoised_halves, strict=True)
            ),
        ]

    def estimate_noise_level(self) -> float:
        """Estimate the noise level from the luma."""
        height, width = self._rgb.shape[:2]
        return estimate_noise_level(lambda first, last: luma(self._rgb[first:last]), height, width)

    def finish(self) -> Levels:
        """Merge luma and chroma to RGB."""
        return merge_color(
            self._rgb, self._luma, self._noisy_halves, self._denoised_halves, noise_level=self._noise_level
        )

    def _read_luma(self, part: Rectangle) -> FloatImage:
        gray = luma(self._rgb[part])
        return 1 - gray if self._is_inverted else gray

    def _write_luma(self, part: Rectangle, denoised: FloatImage) -> None:
        self._luma[part] = 1 - denoised if self._is_inverted else denoised


def _reader(plane: CompactImage) -> Callable[[Rectangle], FloatImage]:
    return lambda part: plane[part].astype(np.float32) + GRAY_CHROMA


def _writer(plane: CompactImage) -> Callable[[Rectangle, FloatImage], None]:
    def write(part: Rectangle, denoised: FloatImage) -> None:
        plane[part] = denoised - GRAY_CHROMA

    return write
