"""A picture at its own size: what a network of any size cleans of it, plane by plane, and what comes out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from app.imaging.chroma import HALF_NOISE, CompactImage, RgbImage, halve_chroma, luma, merge_color
from app.imaging.noise_level import estimate_noise_level
from app.imaging.samples import BitDepth, FloatImage, Levels, Samples, to_levels, to_unit
from app.imaging.tiles import Rectangle

GRAY_CHROMA = np.float32(0.5)  # is added to chroma, so that the network sees values around the middle of its range


@dataclass(frozen=True)
class Plane:
    """One channel to be cleaned, of which parts are read, in [0, 1], and written.

    ``noise_level`` is what the network is told, in [0, 1] units; None for one that is told nothing.
    """

    height: int
    width: int
    noise_level: float | None
    read: Callable[[Rectangle], FloatImage]
    write: Callable[[Rectangle, FloatImage], None]


class FullSizeImage(Protocol):
    """A picture that is cleaned at its own size."""

    def planes(self, noise_level: float | None) -> list[Plane]:
        """List what the network has to clean; ``noise_level`` is what it is told, None if nothing."""
        ...

    def estimate_noise_level(self) -> float:
        """Estimate the standard deviation of the noise, of the luma's in a colour picture, in [0, 1] units."""
        ...

    def finish(self) -> Levels:
        """Put the cleaned planes together: shape (H, W), or (H, W, 3) for RGB."""
        ...


class GrayImage:
    """A gray picture; its result is kept as levels, the size of the source.

    Args:
        samples: shape (H, W).
        is_inverted: whether the network is to see the negative.
        bit_depth: of the result.
    """

    def __init__(self, samples: Samples, *, is_inverted: bool = False, bit_depth: BitDepth = 8) -> None:
        self._samples = samples
        self._size = samples.shape[0], samples.shape[1]
        self._is_inverted = is_inverted
        self._bit_depth = bit_depth
        self._levels: Levels = np.empty(samples.shape, np.uint8 if bit_depth == 8 else np.uint16)

    def planes(self, noise_level: float | None) -> list[Plane]:
        """List the picture itself."""
        height, width = self._size
        return [Plane(height, width, noise_level, self._read, self._write)]

    def estimate_noise_level(self) -> float:
        """Estimate it from the samples."""
        height, width = self._size
        return estimate_noise_level(lambda first, last: to_unit(self._samples[first:last]), height, width)

    def finish(self) -> Levels:
        """Return the levels; every part has been written."""
        return self._levels

    def _read(self, part: Rectangle) -> FloatImage:
        gray = to_unit(self._samples[part])
        return 1 - gray if self._is_inverted else gray

    def _write(self, part: Rectangle, denoised: FloatImage) -> None:
        self._levels[part] = to_levels(1 - denoised if self._is_inverted else denoised, self._bit_depth)


class ColorImage:
    """A colour picture: luma is cleaned at its own size, chroma at half of it; see app.imaging.chroma.

    Args:
        rgb: shape (H, W, 3).
        is_inverted: whether the network is to see the negative of the luma.
    """

    def __init__(self, rgb: RgbImage, *, is_inverted: bool = False) -> None:
        self._rgb = rgb
        self._is_inverted = is_inverted
        self._luma = np.empty(rgb.shape[:2], np.float16)
        self._noisy_halves = halve_chroma(rgb)
        self._denoised_halves = np.empty_like(self._noisy_halves)
        self._noise_level = 0.0

    def planes(self, noise_level: float | None) -> list[Plane]:
        """List luma, Cb and Cr."""
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
        """Estimate it from the luma."""
        height, width = self._rgb.shape[:2]
        return estimate_noise_level(lambda first, last: luma(self._rgb[first:last]), height, width)

    def finish(self) -> Levels:
        """Merge luma and chroma."""
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
