"""The types of arrays that hold pixels, and conversions between them."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatImage = NDArray[np.float32]
Samples = NDArray[np.uint8 | np.uint16 | np.float32]  # 0..255, 0..65535, nominally [0, 1]
Levels = NDArray[np.uint8 | np.uint16]
BitDepth = Literal[8, 16]

GRAY_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
# The luma in which the noise level of colour is told, see model_store/README.md; in BT.601's, white noise is stronger.
LUMA_WEIGHTS = np.array([0.3, 0.4, 0.3], np.float32)
LUMA_NOISE = float(np.linalg.norm(LUMA_WEIGHTS))  # the level of white noise in luma, where that of each channel is 1
WHITE_8, WHITE_16 = 2**8 - 1, 2**16 - 1
STRIP_ROWS = 64  # compared at a time


def to_unit(samples: Samples) -> FloatImage:
    """Convert samples to the nominal range [0, 1]."""
    if samples.dtype == np.float32:
        return np.asarray(samples, np.float32)
    return np.divide(samples, WHITE_8 if samples.dtype == np.uint8 else WHITE_16, dtype=np.float32)


def to_gray(samples: Samples) -> FloatImage:
    """Return gray samples, or the BT.601 luma of RGB ones, shape (H, W), nominally in [0, 1]."""
    if samples.ndim == 2:
        return to_unit(samples)
    return np.asarray(samples @ GRAY_WEIGHTS / np.float32(WHITE_8), np.float32)


def is_gray(rgb: Samples) -> bool:
    """Return whether red, green and blue, shape (H, W, 3), are equal everywhere."""
    strips = (rgb[first : first + STRIP_ROWS] for first in range(0, len(rgb), STRIP_ROWS))  # colour shows early
    return all(np.array_equal(strip[..., 0], strip[..., other]) for strip in strips for other in (1, 2))


def to_levels(image: FloatImage, bit_depth: BitDepth = 8) -> Levels:
    """Round values of the nominal range [0, 1] to 0..255 or 0..65535; values outside the range are clipped."""
    scale, dtype = (WHITE_8, np.uint8) if bit_depth == 8 else (WHITE_16, np.uint16)
    scaled = np.maximum(image, 0, dtype=np.float32)  # a copy; np.clip takes longer for a digit
    np.minimum(scaled, 1, out=scaled)
    scaled *= np.float32(scale)
    levels: Levels = np.rint(scaled, out=scaled).astype(dtype)
    return levels
