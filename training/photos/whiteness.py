"""Whether the noise of an image is white, as far as its level tells."""

import numpy as np
from keras import KerasTensor, ops

from training.images.luma import LUMA_NOISE
from training.photos.colour import find_luma, is_gray

BLOCK_PX = 16
FLATNESS = 0.5  # of the variance of the noise: blocks that vary by so much more count by a factor of e less
# White noise of the level has both ratios near 1. Chosen on held-out photographs: nearly all white noise is found, of
# simulated cameras hardly any, and of scans and microscopes so little that what it loses is little.
FINE_RATIO = (0.75, 1.3)
MAX_COARSE_RATIO = 1.4
CLIPPED_SHARE = 0.1  # blocks of which so many more pixels are black or white count by a factor of e less
MIN_WEIGHT = 0.003  # of a block, on average
# The mean and the diagonal difference of 2x2 pixels, scaled so that white noise keeps its level in both.
HAAR = np.array([[[1, 1], [1, -1]], [[1, -1], [1, 1]]], np.float32)[:, :, None] / 2
NEGLIGIBLE = 1e-12  # a variance far below that of rounding


def is_white(image: KerasTensor, noise_level: KerasTensor) -> KerasTensor:
    """Return for each image (N, H, W, 3) whether its noise is white and of its ``noise_level``, (N,).

    In blocks of 16x16 pixels, variances are measured of diagonal differences between pixels, and between the means of
    2x2 pixels. Flat blocks, which vary little in the latter, hold little else than noise: there, white noise has the
    variance of its level in both. That of cameras is weaker between pixels, since neighbours share it; that of photons
    is weaker where it is dark. Clipped noise tells nothing. If a side is no multiple of 16, its outermost blocks are 12
    pixels wide; 8 pixels are one block.
    """
    luma = find_luma(image)
    variance = ops.square(noise_level * ops.where(is_gray(image), 1.0, LUMA_NOISE)) + NEGLIGIBLE
    halves = ops.conv(luma, HAAR, strides=2)
    quarters = ops.conv(halves[..., :1], HAAR, strides=2)
    fine, coarse = (
        ops.average_pool(ops.square(details[..., 1:]), side, side, padding="same")[..., 0]
        / ops.reshape(variance, (-1, 1, 1))
        for details, side in ((halves, BLOCK_PX // 2), (quarters, BLOCK_PX // 4))
    )
    some = image[:, ::2, ::2]
    is_clipped = ops.cast(ops.logical_or(some <= 0, some >= 1), "float32")
    clipped = ops.mean(ops.average_pool(is_clipped, BLOCK_PX // 2, BLOCK_PX // 2, padding="same"), axis=-1)
    weight = ops.exp(-coarse / FLATNESS - clipped / CLIPPED_SHARE)
    total = ops.sum(weight, axis=(1, 2)) + NEGLIGIBLE
    fine_ratio, coarse_ratio = (ops.sum(weight * ratios, axis=(1, 2)) / total for ratios in (fine, coarse))
    count = ops.cast(ops.size(fine[0]), "float32")
    low, high = FINE_RATIO
    is_of_level = (fine_ratio >= low) & (fine_ratio <= high) & (coarse_ratio <= MAX_COARSE_RATIO)
    return is_of_level & (total >= MIN_WEIGHT * count)
