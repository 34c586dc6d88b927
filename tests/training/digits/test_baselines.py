import numpy as np
import pytest

from tests.training.drawing import draw_blobs
from training.digits.baselines import BASELINES
from training.digits.evaluate import make_test_pairs
from training.images.metrics import psnr_db
from training.images.noise import GaussianNoise, NoNoise, SaltAndPepperNoise

CLEAN = draw_blobs(6)


@pytest.mark.parametrize("name", BASELINES)
def test_a_tuned_filter_makes_noisy_images_better(name: str) -> None:
    baseline, noise = BASELINES[name], GaussianNoise(0.2)
    noisy, _ = make_test_pairs(CLEAN, noise)
    denoised = baseline.denoise_all(noisy, baseline.tune(CLEAN, noise))
    assert denoised.shape == CLEAN.shape
    assert denoised.dtype == np.float32
    assert psnr_db(CLEAN, denoised) > psnr_db(CLEAN, noisy) + 2


@pytest.mark.parametrize("name", BASELINES)
def test_the_weakest_filter_is_best_where_there_is_no_noise(name: str) -> None:
    assert BASELINES[name].tune(CLEAN, NoNoise()) == BASELINES[name].parameters[0]


def test_the_parameter_grows_with_the_noise() -> None:
    median = BASELINES["median filter"]
    assert median.tune(CLEAN, SaltAndPepperNoise(0.02)) < median.tune(CLEAN, SaltAndPepperNoise(0.4))
