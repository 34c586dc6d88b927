import numpy as np
import pytest

from tests.training.drawing import draw_photo
from training.images.camera import CameraNoise
from training.images.luma import LUMA_NOISE, LUMA_WEIGHTS
from training.images.mixture import MixedNoise
from training.photos.crops import add_camera_noise, add_scan_noise, estimate_level, to_gray


@pytest.mark.parametrize("size", [(16, 16), (17, 40), (24, 24), (60, 50)])
def test_a_camera_takes_whole_crops_of_small_photographs_too(size: tuple[int, int]) -> None:
    noise = MixedNoise(camera=CameraNoise(resized=1))
    for seed in range(4):
        crop = add_camera_noise(draw_photo(*size), noise, 16, np.random.default_rng(seed), is_gray=False)
        assert crop.noisy.shape == crop.clean.shape == (16, 16, 3)


def test_a_gray_scan_is_the_luma_of_one_in_colour() -> None:
    noise = MixedNoise()
    colour, gray = (add_scan_noise(noise, 32, np.random.default_rng(0), is_gray=is_gray) for is_gray in (False, True))
    np.testing.assert_array_equal(gray.clean, to_gray(colour.clean))
    np.testing.assert_array_equal(gray.noisy, to_gray(colour.noisy))


def test_gray_is_luma_in_every_channel() -> None:
    red_and_gray = np.array([[[1, 0, 0], [0.5, 0.5, 0.5]]], np.float32)
    expected = [[[0.299] * 3, [0.5] * 3]]
    np.testing.assert_allclose(to_gray(red_and_gray), expected, atol=1e-6)


def test_without_clean_pictures_the_level_is_that_of_luma_too() -> None:
    deviations = np.array([5, 10, 20])
    photo = np.random.default_rng(0).normal(128, deviations, (160, 160, 3)).round().astype(np.uint8)
    expected = np.linalg.norm(deviations * LUMA_WEIGHTS) / LUMA_NOISE
    assert estimate_level(photo) * 255 == pytest.approx(expected, rel=0.1)
    assert estimate_level(np.repeat(photo[..., 1:2], 3, axis=-1)) * 255 == pytest.approx(10, rel=0.1)
