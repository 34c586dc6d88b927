"""How well a denoiser does on test images that it never saw."""

from collections.abc import Callable

import numpy as np

from training.images.metrics import bce, mse, psnr_db, ssim
from training.images.noise import Images, Noise, RecordedNoise, pair_up

TEST_SEED = 2
BATCH_SIZE = 500


def evaluate(denoise: Callable[[Images], Images], images: Images, noise: Noise | RecordedNoise) -> dict[str, float]:
    """Return BCE, MSE, PSNR and SSIM of the denoised images, and all but MSE of the noisy ones."""
    noisy, clean = make_test_pairs(images, noise)
    denoised = map_batches(denoise, noisy)
    return {
        "bce": bce(clean, denoised),
        "mse": mse(clean, denoised),
        "psnr_db": psnr_db(clean, denoised),
        "ssim": ssim(clean, denoised),
        "noisy_bce": bce(clean, noisy),
        "noisy_psnr_db": psnr_db(clean, noisy),
        "noisy_ssim": ssim(clean, noisy),
    }


def make_test_pairs(images: Images, noise: Noise | RecordedNoise) -> tuple[Images, Images]:
    """Return (noisy, clean) test images as ``pair_up`` does, with the same noise for every evaluation and figure."""
    return pair_up(images, noise, np.random.default_rng(TEST_SEED))


def map_batches(function: Callable[[Images], Images], images: Images) -> Images:
    return np.concatenate([function(batch) for batch in np.split(images, range(BATCH_SIZE, len(images), BATCH_SIZE))])
