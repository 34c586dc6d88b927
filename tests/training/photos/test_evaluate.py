from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.training.drawing import draw_photo, fill_channels, join_pair
from training.images.camera import CameraNoise
from training.images.files import from_8_bit, to_8_bit
from training.images.luma import LUMA_NOISE, is_in_colour, measure_level
from training.images.mixture import MixedNoise
from training.images.noise import Images
from training.photos.evaluate import (
    COLOUR_PROTOCOLS,
    GRAY_PROTOCOLS,
    Protocol,
    as_method,
    compare_on_photos,
    leave_noisy,
    measure_pair,
    photograph,
    score_on_photos,
)
from training.store.export import SavedNetwork, save_network

PHOTO = draw_photo(40, 30, seed=3)
OTHER = draw_photo(30, 40, seed=4)
GRAY = fill_channels(PHOTO[..., 0])


@pytest.mark.parametrize("in_colour", [False, True], ids=["gray", "colour"])
def test_the_noise_is_that_of_seed_0_for_each_image(in_colour: bool) -> None:
    clean, noisy, sigma = Protocol(25, rounded=False, in_colour=in_colour).make_noisy(GRAY)
    expected = GRAY[..., : 3 if in_colour else 1] / 255
    np.testing.assert_allclose(clean, expected, rtol=1e-6)
    noise = np.random.RandomState(0).normal(0, 25 / 255, expected.shape)
    np.testing.assert_allclose(noisy, expected + noise, atol=1e-6)
    assert noisy.dtype == np.float32
    assert sigma == 25 / 255


def test_for_gray_protocols_colour_becomes_luma_of_8_bits() -> None:
    clean, _, _ = Protocol(25, rounded=False).make_noisy(PHOTO)
    luma = np.rint(PHOTO @ [0.299, 0.587, 0.114])[..., None]
    assert np.abs(clean * 255 - luma).max() < 1.01
    np.testing.assert_allclose(clean * 255, to_8_bit(clean), atol=1e-4)


def test_rounded_noise_is_what_an_8_bit_file_holds() -> None:
    _, noisy, _ = Protocol(50, rounded=True).make_noisy(PHOTO)
    _, whole, _ = Protocol(50, rounded=False).make_noisy(PHOTO)
    np.testing.assert_allclose(noisy * 255, np.rint(whole.clip(0, 1) * 255), atol=1e-4)


def test_of_pairs_the_noise_is_theirs_and_its_level_is_measured() -> None:
    noise = fill_channels(np.tile(np.arange(30, dtype=np.uint8), (40, 1)))
    pair = join_pair(PHOTO // 2, PHOTO // 2 + noise)
    clean, noisy, sigma = measure_pair(pair)
    np.testing.assert_allclose(np.concatenate([clean, noisy], axis=-1) * 255, pair, rtol=1e-5)
    assert sigma * 255 == pytest.approx(np.arange(30).std() / LUMA_NOISE, rel=1e-5)  # noise that channels share


def test_a_camera_takes_the_middle_of_a_photograph_always_the_same_way() -> None:
    noise = MixedNoise(camera=CameraNoise(resized=0))
    clean, noisy, sigma = photograph(PHOTO, noise)
    assert clean.shape == noisy.shape == (15, 15, 3)
    assert sigma == pytest.approx(measure_level(noisy, clean))
    np.testing.assert_array_equal(photograph(PHOTO, noise).noisy, noisy)


def test_answers_are_rounded_before_they_are_compared() -> None:
    def almost(_noisy: Images, _sigma: float) -> Images:
        return np.asarray((GRAY[..., :1] + 0.4) / 255, np.float32)

    assert score_on_photos(almost, [GRAY], GRAY_PROTOCOLS[0].make_noisy).ssim == pytest.approx(1, abs=1e-6)


def test_scores_are_means_over_the_images() -> None:
    one, other, both = (
        score_on_photos(leave_noisy, photos, GRAY_PROTOCOLS[1].make_noisy)
        for photos in ([PHOTO], [OTHER], [PHOTO, OTHER])
    )
    assert both.psnr_db == pytest.approx((one.psnr_db + other.psnr_db) / 2)
    assert both.ssim == pytest.approx((one.ssim + other.ssim) / 2)
    assert both.seconds_per_megapixel > 0


@pytest.mark.parametrize(("protocols", "channels"), [(GRAY_PROTOCOLS, 1), (COLOUR_PROTOCOLS, 3)])
def test_a_method_is_told_the_level_and_given_the_channels(protocols: Sequence[Protocol], channels: int) -> None:
    told = []

    def listen(noisy: Images, sigma: float) -> Images:
        told.append((noisy.shape[-1], round(sigma * 255)))
        return noisy

    results = compare_on_photos({"listens": listen}, [PHOTO], protocols)
    assert told == [(channels, level) for level in (15, 25, 50)] * 2
    assert list(results["listens"]) == list(protocols)


def test_gray_in_three_channels_is_not_in_colour() -> None:
    assert not is_in_colour(GRAY)
    assert is_in_colour(PHOTO)


def save_darkening_network(folder: Path, channels: int) -> SavedNetwork:
    """A network that takes the noise level, times the number of the channel, off each channel."""
    image = keras.Input((None, None, channels), name="image")
    noise_level = keras.Input((), name="noise_level")
    weights = np.arange(1, channels + 1, dtype=np.float32)
    darker = image - keras.ops.reshape(noise_level, (-1, 1, 1, 1)) * weights
    save_network(keras.Model({"image": image, "noise_level": noise_level}, darker), folder)
    return SavedNetwork(folder)


def test_a_network_of_three_channels_denoises_colour_and_gray(tmp_path: Path) -> None:
    method = as_method(save_darkening_network(tmp_path, 3))
    colour = np.array([0.5, 0.6, 0.7], np.float32) * np.ones((4, 5, 1), np.float32)
    np.testing.assert_allclose(method(colour, 0.1), colour - np.array([0.1, 0.2, 0.3]), atol=1e-6)
    gray = colour[..., :1]
    assert method(gray, 0.1).shape == (4, 5, 1)
    np.testing.assert_allclose(method(gray, 0.1), gray - 0.2, atol=1e-6)


def test_a_network_of_one_channel_denoises_each_channel_of_colour(tmp_path: Path) -> None:
    method = as_method(save_darkening_network(tmp_path, 1))
    colour = from_8_bit(PHOTO // 2 + 64)
    np.testing.assert_allclose(method(colour, 0.1), colour - 0.1, atol=1e-6)
    np.testing.assert_allclose(method(colour[..., :1], 0.1), colour[..., :1] - 0.1, atol=1e-6)
