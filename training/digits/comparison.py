"""Networks and classical filters side by side, on the same noisy test images."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import keras
import numpy as np
from numpy.typing import NDArray

from training.digits.baselines import BASELINES
from training.digits.classifier import read_digits
from training.digits.evaluate import make_test_pairs, map_batches
from training.images.metrics import bce, mse, psnr_db, ssim
from training.images.noise import GaussianNoise, Images, Noise, NoNoise, SaltAndPepperNoise

NOISES: tuple[Noise, ...] = (
    NoNoise(),
    *(GaussianNoise(sigma) for sigma in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)),
    *(SaltAndPepperNoise(share) for share in (0.1, 0.2, 0.3)),
)
TUNING_IMAGES = 200
NOISY_INPUT = "noisy input"

Method = Callable[[Images, Noise], Images]


@dataclass(frozen=True)
class Score:
    """Means over the images; ``accuracy`` is the share that the classifier reads correctly, or None without labels."""

    bce: float
    mse: float
    psnr_db: float
    ssim: float
    accuracy: float | None


Results = dict[str, dict[Noise, Score]]


@dataclass(frozen=True)
class Judge:
    """Clean images, the digits that they show, and the classifier that reads the denoised ones."""

    clean: Images
    labels: NDArray[np.uint8] | None
    classifier: keras.Model

    def score(self, denoised: Images) -> Score:
        is_right = None if self.labels is None else read_digits(self.classifier, denoised) == self.labels
        return Score(
            bce=bce(self.clean, denoised),
            mse=mse(self.clean, denoised),
            psnr_db=psnr_db(self.clean, denoised),
            ssim=ssim(self.clean, denoised),
            accuracy=None if is_right is None else float(np.mean(is_right)),
        )


def compare(methods: Mapping[str, Method], judge: Judge, noises: tuple[Noise, ...] = NOISES) -> Results:
    """Return each method's score for each noise, the noisy input first."""
    compared: dict[str, Method] = {NOISY_INPUT: lambda noisy, _: np.clip(noisy, 0, 1), **methods}
    results: Results = {name: {} for name in compared}
    for noise in noises:
        noisy, _ = make_test_pairs(judge.clean, noise)
        for name, method in compared.items():
            results[name][noise] = judge.score(method(noisy, noise))
        print(f"measured with noise: {noise}", flush=True)
    return results


def as_method(denoise: Callable[[Images], Images]) -> Method:
    """Return a network as a method, which denoises in batches, whatever the noise."""
    return lambda noisy, _noise: map_batches(denoise, noisy)


def tune_baselines(clean: Images) -> dict[str, Method]:
    """Return the classical filters, each of which tunes its parameter for a noise on the first of the clean images."""
    return {name: partial(baseline.denoise_tuned, clean[:TUNING_IMAGES]) for name, baseline in BASELINES.items()}
