import numpy as np
import pytest

from training.images.noise import Images
from training.photos.evaluate import PROTOCOLS, Protocol, compare_on_photos, score_on_photos, split_pair

PHOTO = np.random.default_rng(3).integers(0, 256, (40, 30), np.uint8)
OTHER = np.random.default_rng(4).integers(0, 256, (30, 40), np.uint8)


def leave(noisy: Images, _sigma: float) -> Images:
    return noisy


def test_the_noise_is_that_of_seed_0_for_each_image() -> None:
    clean, noisy, sigma = Protocol(25, rounded=False).make_noisy(PHOTO)
    np.testing.assert_allclose(clean * 255, PHOTO, rtol=1e-6)
    expected = PHOTO / 255 + np.random.RandomState(0).normal(0, 25 / 255, PHOTO.shape)
    np.testing.assert_allclose(noisy, expected, atol=1e-6)
    assert noisy.dtype == np.float32
    assert sigma == 25 / 255


def test_rounded_noise_is_what_an_8_bit_file_holds() -> None:
    _, noisy, _ = Protocol(50, rounded=True).make_noisy(PHOTO)
    _, whole, _ = Protocol(50, rounded=False).make_noisy(PHOTO)
    np.testing.assert_allclose(noisy * 255, np.rint(whole.clip(0, 1) * 255), atol=1e-4)


def test_of_pairs_the_noise_is_theirs_and_its_level_is_measured() -> None:
    pair = np.stack([PHOTO // 2, PHOTO // 2 + np.arange(30, dtype=np.uint8)], axis=-1)
    clean, noisy, sigma = split_pair(pair)
    np.testing.assert_allclose([clean[0] * 255, noisy[0] * 255], [pair[0, :, 0], pair[0, :, 1]], rtol=1e-5)
    assert sigma * 255 == pytest.approx(np.arange(30).std(), rel=1e-5)


def test_answers_are_rounded_before_they_are_compared() -> None:
    def almost(_noisy: Images, _sigma: float) -> Images:
        return np.asarray((PHOTO + 0.4) / 255, np.float32)

    assert score_on_photos(almost, [PHOTO], PROTOCOLS[0].make_noisy).ssim == pytest.approx(1, abs=1e-6)


def test_scores_are_means_over_the_images() -> None:
    one, other, both = (
        score_on_photos(leave, photos, PROTOCOLS[1].make_noisy) for photos in ([PHOTO], [OTHER], [PHOTO, OTHER])
    )
    assert both.psnr_db == pytest.approx((one.psnr_db + other.psnr_db) / 2)
    assert both.ssim == pytest.approx((one.ssim + other.ssim) / 2)
    assert both.seconds_per_megapixel > 0


def test_a_method_is_told_the_level() -> None:
    told = []

    def listen(noisy: Images, sigma: float) -> Images:
        told.append(round(sigma * 255))
        return noisy

    results = compare_on_photos({"listens": listen}, [PHOTO])
    assert told == [15, 25, 50, 15, 25, 50]
    assert list(results["listens"]) == list(PROTOCOLS)
