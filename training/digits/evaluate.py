"""Measures a denoiser on test images that it never saw."""

from collections.abc import Callable

import numpy as np

from training.images.metrics import bce, mse, psnr_db, ssim
from training.images.noise import Images, Noise, RecordedNoise, pair_up

TEST_SEED = 2
BATCH_SIZE = 500


def evaluate(denoise: Callable[[Images], Images], images: Images, noise: Noise | RecordedNoise) -> dict[str, float]:
    """Return BCE, MSE, PSNR and SSIM of denoised against clean images, and of the noisy ones all but MSE."""
    noisy, clean = make_test_pairs(images, noise)
    starts = range(0, len(noisy), BATCH_SIZE)
    denoised = np.concatenate([denoise(noisy[start : start + BATCH_SIZE]) for start in starts])
    return {
        "bce": bce(clean, denoised),
        "mse": mse(clean, denoised),
        "psnr_db": psnr_db(clean, denoised),
        "ssim": ssim(clean, denoised),
        "noisy_bce": bce(clean, noisy),
        "noisy_psnr_db": psnr_db(clean, noisy),
        "noisy_ssim": ssim(clean, noisy),
    }


def make_noisy(clean: Images, noise: Noise) -> Images:
    """Return test images with the noise that every evaluation and figure uses."""
    return make_test_pairs(clean, noise)[0]


def make_test_pairs(images: Images, noise: Noise | RecordedNoise) -> tuple[Images, Images]:
    """Return (noisy, clean) test images, as `pair_up` does; every evaluation and figure uses the same noise."""
    return pair_up(images, noise, np.random.default_rng(TEST_SEED))
