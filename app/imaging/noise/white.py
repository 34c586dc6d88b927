"""Estimate the level of white noise from the patches of a picture that hold little else than noise."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from app.imaging.samples import FloatImage

Patches = NDArray[np.float32]

PATCH_PX = 6  # larger ones separate noise from texture no better, and more of them have clipped pixels
MAX_PATCHES = 2**13  # twice as many gain less than a tenth of an 8-bit level
MIN_PATCHES = 4 * PATCH_PX**2  # with fewer, the covariance says little
MAX_ROUNDS = 6
# The variance of 99 % of patches of pure white noise is below this times the noise's: the chi-squared distribution
# with PATCH_PX² - 1 degrees of freedom, divided by their number.
FLAT_VARIANCE = 1.64

ReadRows = Callable[[int, int], FloatImage]


def estimate_white_noise(read_rows: ReadRows, height: int, width: int) -> float:
    """Estimate the standard deviation of white Gaussian noise, in units of the [0, 1] range.

    Patches without noise lie near a subspace of few dimensions, so the smallest eigenvalues of the patches' covariance
    equal the variance of the noise (G. Chen, F. Zhu, P. A. Heng, "An efficient statistical method for image noise level
    estimation", ICCV 2015). Then texture is removed in rounds: only patches that vary as little as noise of the level
    found so far are kept (X. Liu, M. Tanaka, M. Okutomi, "Single-image noise level estimation for blind denoising",
    IEEE TIP 22(12), 2013). Patches that touch the ends of the range are left out, because their noise was clipped.
    Noise that neighbouring pixels share is underestimated.

    Args:
        read_rows: returns the rows from one (included) to another (excluded), shape (rows, width).
        height: of the picture, in pixels.
        width: of the picture, in pixels.

    Returns:
        The estimate; 0 if the picture is too small for one.
    """
    if min(height, width) < PATCH_PX:
        return 0.0
    patches = _sample_patches(read_rows, height, width)
    inside = patches[~((patches == 0) | (patches == 1)).any(axis=1)]
    chosen = inside if len(inside) >= MIN_PATCHES else patches
    variances = chosen.var(axis=1)
    level = _level_of(chosen)
    for _ in range(MAX_ROUNDS):
        flat = chosen[variances < FLAT_VARIANCE * level**2]
        if len(flat) < MIN_PATCHES:
            break
        level = _level_of(flat)
    return level


def _sample_patches(read_rows: ReadRows, height: int, width: int) -> Patches:
    """Return at most about MAX_PATCHES patches from all over the picture, shape (N, PATCH_PX²)."""
    step = max(1, round(((height - PATCH_PX + 1) * (width - PATCH_PX + 1) / MAX_PATCHES) ** 0.5))
    bands = [
        np.lib.stride_tricks.sliding_window_view(read_rows(top, top + PATCH_PX), PATCH_PX, axis=1)[:, ::step]
        for top in range(0, height - PATCH_PX + 1, step)
    ]
    return np.concatenate([band.transpose(1, 0, 2).reshape(-1, PATCH_PX**2) for band in bands])


def _level_of(patches: Patches) -> float:
    centred = patches - patches.mean(axis=0)
    eigenvalues = np.linalg.eigvalsh((centred.T @ centred / len(patches)).astype(np.float64))
    return float(np.sqrt(max(_noise_variance(eigenvalues), 0.0)))


def _noise_variance(eigenvalues: NDArray[np.float64]) -> float:
    """Drop the largest of the ascending eigenvalues until mean and median of the rest agree (Chen, algorithm 1)."""
    for count in range(len(eigenvalues), 0, -1):
        mean = float(eigenvalues[:count].mean())
        if np.count_nonzero(eigenvalues[:count] > mean) >= np.count_nonzero(eigenvalues[:count] < mean):
            return mean
    return float(eigenvalues[0])
