"""Describe a picture by how its blocks vary: at two scales, in four bands of frequencies, at eight brightnesses.

Noise that neighbouring pixels share, that depends on the signal, or that went through JPEG leaves its traces in
different places of this description than what a picture shows.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from app.imaging.samples import FloatImage

Values = NDArray[np.float32]

BLOCK_PX = 16  # four blocks of 8x8 pixels, and one of half the size
MAX_BLOCKS = 2**10
MIN_BLOCKS = 2**6
BRIGHTNESSES = 8
QUANTILES = (0.1, 0.3, 0.6)
FLAT_SHARE = 0.1
FLOOR = 0.01  # added to variances on the 8-bit scale, so that those of flat blocks have a logarithm
RANGE = (-1, 2)  # beyond it are the samples of damaged files
COUNT = 54

ReadRows = Callable[[int, int], FloatImage]


def describe_blocks(read_rows: ReadRows, height: int, width: int) -> Values | None:
    """Return ``COUNT`` numbers that describe a picture of one channel, or None if it has fewer than ``MIN_BLOCKS``.

    The first is the logarithm of a standard deviation on the 8-bit scale: that of blocks that vary little, at each
    brightness, averaged over the brightnesses. Next come logarithms of ratios to it: of the quantiles of each band at
    both scales, of those at each brightness, and of the flattest blocks. The last are the mean of each quarter of the
    blocks in order of brightness, and the share of pixels that are black or white.

    Args:
        read_rows: returns the rows from one (included) to another (excluded), shape (rows, width), nominally in [0, 1].
        height: of the picture, in pixels.
        width: likewise.
    """
    if max(height - BLOCK_PX + 1, 0) * max(width - BLOCK_PX + 1, 0) < MIN_BLOCKS:
        return None
    blocks = _sample_blocks(read_rows, height, width)
    quarters = blocks.reshape(-1, 2, 8, 2, 8)
    fine = np.stack([_measure_bands(quarters[:, y, :, x])[0] for y in (0, 1) for x in (0, 1)], axis=1)
    rows = blocks[:, ::2] + blocks[:, 1::2]
    coarse, means = _measure_bands(np.asarray(rows[..., ::2] + rows[..., 1::2], np.float32) / np.float32(4))

    by_brightness = np.argsort(means)
    fine_quantiles = _rank(fine[by_brightness])
    coarse_quantiles = _rank(coarse[by_brightness, None])
    level = _to_log_level(fine_quantiles[1].mean(axis=0) @ BAND_SHARES)
    flattest = np.argsort(coarse.mean(axis=1))[: int(len(blocks) * FLAT_SHARE)]
    ratios = [
        fine_quantiles.mean(axis=1),
        coarse_quantiles.mean(axis=1),
        fine_quantiles[0, :, 1:].mean(axis=-1),
        coarse_quantiles[0, :, 1:].mean(axis=-1),
        fine[flattest].mean(axis=(0, 1)),
        coarse[flattest].mean(axis=0),
    ]
    quarter_means = [quarter.mean() / 255 for quarter in np.array_split(means[by_brightness], 4)]
    clipped_share = np.mean((blocks <= 0) | (blocks >= 255))
    described = [[level], *(_to_log_level(variances).ravel() - level for variances in ratios)]
    return np.concatenate([*described, quarter_means, [clipped_share]]).astype(np.float32)


def _sample_blocks(read_rows: ReadRows, height: int, width: int) -> Values:
    """Return at least MIN_BLOCKS and about MAX_BLOCKS at most, from all over the picture, (N, 16, 16), 0 to 255."""
    places_y, places_x = height - BLOCK_PX + 1, width - BLOCK_PX + 1
    step = max(1, round((places_y * places_x / MAX_BLOCKS) ** 0.5))
    bands = [
        np.lib.stride_tricks.sliding_window_view(read_rows(top, top + BLOCK_PX), BLOCK_PX, axis=1)[:, ::step]
        for top in range(0, places_y, step)
    ]
    blocks = np.concatenate([band.transpose(1, 0, 2) for band in bands])
    return np.asarray(blocks.clip(*RANGE) * np.float32(255))


def _measure_bands(blocks: Values) -> tuple[Values, Values]:
    """Return the mean square (N, 4) of the cosine transform in each band, and the means (N,), of blocks (N, 8, 8)."""
    spectrum = blocks.reshape(-1, 64) @ TRANSFORM
    means = spectrum[:, 0] / np.float32(8)
    return np.square(spectrum) @ BANDS, means


def _rank(variances: Values) -> Values:
    """Return QUANTILES, (3, 8, 4), within each eighth of the blocks (N, K, 4), which are in order of brightness."""
    count = len(variances) // BRIGHTNESSES * BRIGHTNESSES
    ranked = np.sort(variances[:count].reshape(BRIGHTNESSES, -1, variances.shape[-1]), axis=1)
    chosen = [int(quantile * ranked.shape[1]) for quantile in QUANTILES]
    return ranked[:, chosen].swapaxes(0, 1)


def _to_log_level(variances: Values) -> Values:
    return np.asarray(np.log(variances + FLOOR) / 2)


def _make_transform() -> Values:
    """Return the orthonormal cosine transform (DCT-II) of 8x8 pixels as a matrix (64 pixels, 64 frequencies)."""
    frequency, place = np.mgrid[:8, :8]
    basis = np.cos(np.pi * (2 * place + 1) * frequency / 16) * np.where(frequency == 0, np.sqrt(1 / 8), 0.5)
    return np.kron(basis, basis).T.astype(np.float32)


def _make_bands() -> tuple[Values, Values]:
    """Return the matrix (64, 4) that averages over each band, and the share of frequencies in each."""
    order = np.add.outer(np.arange(8), np.arange(8)).reshape(-1, 1)
    member = (order >= (1, 3, 5, 8)) & (order <= (2, 4, 7, 14))
    sizes = member.sum(axis=0)
    return (member / sizes).astype(np.float32), (sizes / sizes.sum()).astype(np.float32)


TRANSFORM = _make_transform()
BANDS, BAND_SHARES = _make_bands()
