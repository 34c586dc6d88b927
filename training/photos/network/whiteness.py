"""Whether the noise of an image is white, as far as its level tells."""

from typing import Any

import numpy as np
from keras import KerasTensor, ops
from numpy.typing import NDArray

from training.images.luma import LUMA_NOISE, LUMA_WEIGHTS
from training.images.noise import Images

BLOCK_PX = 16
FLATNESS = 0.5  # of the variance of the noise: blocks that vary by so much more count by a factor of e less
# White noise of the level has both ratios near 1. Chosen on held-out photographs: nearly all white noise is found, of
# simulated cameras hardly any, and of scans and microscopes so little that what it loses is little.
FINE_RATIO = (0.75, 1.3)
MAX_COARSE_RATIO = 1.4
CLIPPED_SHARE = 0.1  # blocks of which so many more pixels are black or white count by a factor of e less
CLIPPED_STEP_PX = 4  # these pixels are counted in every fourth row
MIN_WEIGHT = 0.003  # of a block, on average
# How green differs from red and blue, and luma; both scaled so that white noise keeps its level.
CHROMA = np.array([-1, 2, -1], np.float32) / np.sqrt(6, dtype=np.float32)
LUMA = LUMA_WEIGHTS / np.float32(LUMA_NOISE)
# The mean and the diagonal difference of 2x2 pixels, scaled so that white noise keeps its level in both.
HAAR = np.array([[[1, 1], [1, -1]], [[1, -1], [1, 1]]], np.float32)[:, :, None] / 2
NEGLIGIBLE = 1e-12  # a variance far below that of rounding


def is_white(image: KerasTensor, noise_level: KerasTensor) -> KerasTensor:
    """Return for each image whether its noise is white and of its ``noise_level``, (N,).

    In blocks of 16x16 pixels, variances are measured of diagonal differences between pixels, and between the means of
    2x2 pixels. Flat blocks, which vary little in the latter, hold little else than noise: there, white noise has the
    variance of its level in both. That of cameras is weaker between pixels, since neighbours share it; that of photons
    is weaker where it is dark. Clipped noise tells nothing. Every other row of blocks is enough. What is left over
    beside whole blocks makes smaller ones; 8 pixels are one block.

    Images are (N, H, W, 1), or (N, H, W, 3) in colour. Of these, chroma is looked at, which varies least, and luma, in
    which a camera's noise is shared by neighbours even where that of chroma is not.
    """
    rows = ops.nonzero(ops.arange(ops.shape(image)[1]) // BLOCK_PX % 2 == 0)[0]
    image = ops.take(image, rows, axis=1)
    sampled = image[:, ::CLIPPED_STEP_PX]
    is_clipped = ops.cast(ops.logical_or(sampled <= 0, sampled >= 1), "float32")
    clipped = _average(is_clipped, BLOCK_PX // CLIPPED_STEP_PX, BLOCK_PX)
    low, high = FINE_RATIO
    is_gray = image.shape[-1] == 1
    fine, coarse, weight = _compare(image, np.ones(1, np.float32) if is_gray else CHROMA, noise_level, clipped)
    is_of_level = (fine >= low) & (fine <= high) & (coarse <= MAX_COARSE_RATIO) & (weight >= MIN_WEIGHT)
    return is_of_level if is_gray else is_of_level & (_compare(image, LUMA, noise_level, clipped)[0] >= low)


def _compare(
    image: KerasTensor, weights: Images, noise_level: KerasTensor, clipped: KerasTensor
) -> tuple[KerasTensor, ...]:
    """Return the variances of flat blocks between pixels and between 2x2, over that of the level, and their weight.

    ``weights``, (C,), of the channels keep the level of white noise. ``clipped`` is the share of clipped pixels in each
    block, (N, H', W'). Each result is (N,).
    """
    halves = _convolve(image, HAAR * weights[:, None])
    quarters = _convolve(halves[..., :1], HAAR)
    variance = ops.reshape(ops.square(noise_level) + NEGLIGIBLE, (-1, 1, 1))
    fine = _average(ops.square(halves[..., 1:]), BLOCK_PX // 2, BLOCK_PX // 2) / variance
    coarse = _average(ops.square(quarters[..., 1:]), BLOCK_PX // 4, BLOCK_PX // 4) / variance
    weight = ops.exp(-coarse / FLATNESS - clipped / CLIPPED_SHARE)
    total = ops.sum(weight, axis=(1, 2)) + NEGLIGIBLE
    fine_ratio, coarse_ratio = (ops.sum(weight * ratios, axis=(1, 2)) / total for ratios in (fine, coarse))
    return fine_ratio, coarse_ratio, ops.mean(weight, axis=(1, 2))


def _convolve(image: KerasTensor, kernel: NDArray[Any]) -> KerasTensor:
    """Return every other pixel of a convolution, computed in 64 bits.

    Where the service computes in bfloat16, TensorFlow rounds convolutions of 32 bits, and all sums and products that
    follow on one and lead to another: after the choice between networks, those that split colour into luma and chroma.
    """
    return ops.cast(ops.conv(ops.cast(image, "float64"), kernel.astype(np.float64), strides=2), "float32")


def _average(values: KerasTensor, height: int, width: int) -> KerasTensor:
    """Return the mean of each block of (N, H, W, C) over its pixels and channels, (N, H', W')."""
    return ops.mean(ops.average_pool(values, (height, width), (height, width), padding="same"), axis=-1)
