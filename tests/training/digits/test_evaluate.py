import numpy as np
import pytest

from tests.training.drawing import draw_blobs
from training.digits.evaluate import evaluate
from training.images.noise import GaussianNoise, Images

CLEAN = draw_blobs(510)
NOISE = GaussianNoise(0.4)


def test_a_denoiser_that_does_nothing_is_as_good_as_the_noisy_input() -> None:
    measured = evaluate(lambda noisy: noisy, CLEAN, NOISE)
    for name in ("bce", "psnr_db", "ssim"):
        assert measured[name] == measured[f"noisy_{name}"]
    assert measured["psnr_db"] < 12


def test_a_denoiser_sees_noisy_images_in_bounded_batches() -> None:
    seen: list[Images] = []

    def denoise(noisy: Images) -> Images:
        seen.append(noisy)
        return CLEAN[: len(noisy)]

    evaluate(denoise, CLEAN, NOISE)
    assert [len(batch) for batch in seen] == [500, 10]
    assert np.concatenate(seen).std() > CLEAN.std()


def test_two_evaluations_use_the_same_noise() -> None:
    first, second = (evaluate(lambda noisy: noisy, CLEAN, NOISE) for _ in range(2))
    assert first == pytest.approx(second, abs=0)
