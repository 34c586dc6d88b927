"""Split colour into luma and chroma of half the size, and merge them again when both are denoised."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.imaging.samples import WHITE_8, FloatImage, Samples, to_unit

RgbImage = NDArray[np.uint8]
CompactImage = NDArray[np.float16]  # [0, 1] to within an eighth of an 8-bit level, in half the memory

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
CB_SCALE, CR_SCALE = np.float32(1.772), np.float32(1.402)
HALF_NOISE = 0.5  # the mean of 2x2 pixels has half their noise level
THRESHOLD = 3.0  # standard deviations; smaller differences from the surroundings are taken for noise
STRIP_ROWS = 256  # processed at a time; must be even


def luma(rgb: RgbImage) -> FloatImage:
    """Return the BT.601 luma, shape (H, W), in [0, 1], of RGB of shape (H, W, 3)."""
    return np.asarray(rgb @ LUMA / np.float32(WHITE_8), np.float32)


def to_gray(samples: Samples) -> FloatImage:
    """Return gray or RGB samples as gray of shape (H, W), nominally in [0, 1]."""
    return luma(np.asarray(samples, np.uint8)) if samples.ndim == 3 else to_unit(samples)


def halve_chroma(rgb: RgbImage) -> CompactImage:
    """Return Cb and Cr at half the height and width, rounded up: shape (2, H/2, W/2), in [-0.5, 0.5]."""
    height, width = rgb.shape[:2]
    halves = np.empty((2, -(-height // 2), -(-width // 2)), np.float16)
    for rows in _strips(height):
        for plane, half in zip(_chroma(rgb[rows]), halves, strict=True):
            half[rows.start // 2 : -(-rows.stop // 2)] = np.asarray(Image.fromarray(plane).reduce(2))
    return halves


def merge_color(
    rgb: RgbImage,
    denoised_luma: CompactImage,
    noisy_halves: CompactImage,
    denoised_halves: CompactImage,
    *,
    noise_level: float,
) -> RgbImage:
    """Merge a colour image from its denoised luma and chroma.

    Chroma becomes its enlarged, denoised half-sized plane, plus the detail that the half size cannot show. That detail
    is shrunk by three standard deviations of the noise (soft thresholding: D. Donoho, "De-noising by
    soft-thresholding", IEEE Trans. Inf. Theory 41(3), 1995), so that without noise every colour stays as it is.

    Args:
        rgb: the noisy image, shape (H, W, 3).
        denoised_luma: shape (H, W), in [0, 1].
        noisy_halves: what halve_chroma returned.
        denoised_halves: the same, denoised.
        noise_level: standard deviation of the noise in chroma, in [0, 1] units.
    """
    merged = np.empty_like(rgb)
    height, width = rgb.shape[:2]
    for rows in _strips(height):
        cb, cr = (
            _clean_chroma(
                full, _enlarge(noisy, rows, width), _enlarge(denoised, rows, width), threshold=THRESHOLD * noise_level
            )
            for full, noisy, denoised in zip(_chroma(rgb[rows]), noisy_halves, denoised_halves, strict=True)
        )
        y = denoised_luma[rows].astype(np.float32)
        red, blue = y + CR_SCALE * cr, y + CB_SCALE * cb
        green = (y - LUMA[0] * red - LUMA[2] * blue) / LUMA[1]
        for channel, plane in enumerate((red, green, blue)):
            merged[rows, :, channel] = np.rint(np.clip(plane, 0, 1) * np.float32(WHITE_8))
    return merged


def _clean_chroma(full: FloatImage, noisy: FloatImage, denoised: FloatImage, *, threshold: float) -> FloatImage:
    """Add to ``denoised`` the part of ``full - noisy`` that exceeds the threshold."""
    fine = full - noisy
    kept = np.sign(fine) * np.maximum(np.abs(fine) - np.float32(threshold), 0)
    return np.asarray(denoised + kept, np.float32)


def _chroma(rgb: RgbImage) -> tuple[FloatImage, FloatImage]:
    y = luma(rgb)
    blue, red = (np.divide(rgb[..., channel], WHITE_8, dtype=np.float32) for channel in (2, 0))
    return (blue - y) / CB_SCALE, (red - y) / CR_SCALE


def _enlarge(half: CompactImage, rows: slice, width: int) -> FloatImage:
    """Double the size of some rows of a half-sized plane, bilinearly."""
    first = max(0, rows.start // 2 - 1)  # interpolation needs a neighbour on either side
    part = half[first : -(-rows.stop // 2) + 1].astype(np.float32)
    box = (0, rows.start / 2 - first, width / 2, rows.stop / 2 - first)
    size = (width, rows.stop - rows.start)
    return np.asarray(Image.fromarray(part).resize(size, Image.Resampling.BILINEAR, box=box))


def _strips(height: int) -> Iterator[slice]:
    for start in range(0, height, STRIP_ROWS):
        yield slice(start, min(height, start + STRIP_ROWS))
