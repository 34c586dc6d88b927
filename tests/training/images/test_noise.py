from dataclasses import replace

import numpy as np
import pytest

from training.images.luma import LUMA_NOISE, LUMA_WEIGHTS
from training.images.noise import (
    BlindNoise,
    GaussianNoise,
    Images,
    NoNoise,
    RandomLevelNoise,
    RecordedNoise,
    SaltAndPepperNoise,
    blur,
    pair_up,
)

GRAY = np.full((20, 32, 32, 1), 0.5, np.float32)
MANY = np.full((300, 16, 16, 1), 0.5, np.float32)
EDGE = np.zeros((50, 32, 32, 1), np.float32)
EDGE[:, :, 16:] = 0.5


def test_gaussian_noise_has_the_given_standard_deviation_and_no_bias() -> None:
    noise = GaussianNoise(0.1).add_to(GRAY, np.random.default_rng(0)) - GRAY
    assert abs(noise.std() - 0.1) < 0.002
    assert abs(noise.mean()) < 0.002


def test_clipped_noise_stays_between_black_and_white() -> None:
    noisy = GaussianNoise(0.4).add_to(GRAY, np.random.default_rng(0))
    assert noisy.dtype == np.float32
    assert (noisy.min(), noisy.max()) == (0, 1)


def test_noise_that_is_not_clipped_goes_beyond_them() -> None:
    noisy = GaussianNoise(0.4, clipped=False).add_to(GRAY, np.random.default_rng(0))
    assert noisy.min() < 0
    assert noisy.max() > 1


def test_noise_leaves_the_clean_images_as_they_are() -> None:
    clean = GRAY.copy()
    GaussianNoise(0.4).add_to(clean, np.random.default_rng(0))
    assert np.array_equal(clean, GRAY)


def test_no_noise_returns_the_images() -> None:
    assert np.array_equal(NoNoise().add_to(GRAY, np.random.default_rng(0)), GRAY)


def test_noise_tells_what_it_is() -> None:
    assert [
        str(noise)
        for noise in (GaussianNoise(0.4), GaussianNoise(0.25, clipped=False), SaltAndPepperNoise(0.1), NoNoise())
    ] == [
        "Gaussian 0.4 clipped",
        "Gaussian 0.25 not clipped",
        "salt-and-pepper 10%",
        "none",
    ]


def test_salt_and_pepper_replace_their_share_half_and_half() -> None:
    noisy = SaltAndPepperNoise(0.3).add_to(GRAY, np.random.default_rng(0))
    assert np.mean(noisy == 0) == pytest.approx(0.15, abs=0.01)
    assert np.mean(noisy == 1) == pytest.approx(0.15, abs=0.01)
    assert np.mean(noisy == GRAY) == pytest.approx(0.7, abs=0.01)


def test_every_image_gets_blind_noise_of_its_own_strength() -> None:
    noise = (
        BlindNoise(gaussian=1, salt_and_pepper=0, speckle=0, clipped=0).add_to(MANY, np.random.default_rng(0)) - MANY
    )
    sigmas = noise.std(axis=(1, 2, 3))
    assert sigmas.max() < 0.75
    assert sigmas.min() < 0.05
    assert np.mean((sigmas > 0.29) & (sigmas < 0.51)) == pytest.approx(0.65, abs=0.08)


def test_blind_noise_of_each_kind_does_what_it_says() -> None:
    def add(**shares: float) -> Images:
        none = BlindNoise(gaussian=0, salt_and_pepper=0, speckle=0, max_faint_sigma=0, max_blurred_sigma=0)
        noise = replace(none, **shares)  # type: ignore[arg-type]
        return noise.add_to(EDGE, np.random.default_rng(0))

    assert np.isin(add(salt_and_pepper=1), [0, 0.5, 1]).all()
    assert not add(speckle=1)[:, :, :16].any()
    assert add(speckle=1)[:, :, 16:].std() > 0.05
    blurred = add()
    assert (blurred.min(), blurred.max()) == (0, 0.5)
    assert 0 < blurred[:, 10, 15].mean() < 0.125


def test_blind_noise_is_mostly_clipped() -> None:
    noisy = BlindNoise().add_to(MANY, np.random.default_rng(0))
    is_beyond = (noisy.min(axis=(1, 2, 3)) < 0) | (noisy.max(axis=(1, 2, 3)) > 1)
    assert 0.05 < np.mean(is_beyond) < 0.2
    assert noisy.dtype == np.float32


def test_blind_noise_depends_on_the_generator_alone() -> None:
    first, second, third = (BlindNoise().add_to(MANY, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, third)


def test_blur_spreads_a_pixel_over_its_neighbours() -> None:
    image = np.zeros((1, 5, 5, 1), np.float32)
    image[0, 2, 2] = 16
    assert blur(image)[0, 1:4, 1:4, 0].tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]


def test_each_image_gets_noise_of_the_level_that_is_told() -> None:
    noisy, levels = RandomLevelNoise(rounded=0).add_to(MANY, np.random.default_rng(0))
    assert levels.dtype == np.float32
    assert levels.shape == (300,)
    np.testing.assert_allclose((noisy - MANY).std(axis=(1, 2, 3)), levels, rtol=0.2)


def test_levels_are_common_strong_or_none() -> None:
    many = np.zeros((20_000, 1, 1, 1), np.float32)
    _, levels = RandomLevelNoise(common=40, highest=60, noiseless=0.2, strong=0.3).add_to(
        many, np.random.default_rng(0)
    )
    on_8_bits = levels * 255
    assert np.mean(on_8_bits == 0) == pytest.approx(0.2, abs=0.02)
    assert np.mean(on_8_bits > 40) == pytest.approx(0.3, abs=0.02)
    assert on_8_bits.max() == pytest.approx(60, abs=0.1)


def test_a_share_of_the_images_is_clipped_and_rounded_as_files_are() -> None:
    noisy, _ = RandomLevelNoise(noiseless=0, rounded=0.5).add_to(MANY, np.random.default_rng(0))
    on_8_bits = noisy * 255
    is_rounded = (np.abs(on_8_bits - np.rint(on_8_bits)) < 1e-3).all(axis=(1, 2, 3))
    assert is_rounded.mean() == pytest.approx(0.5, abs=0.1)
    assert noisy[is_rounded].min() >= 0
    assert noisy[is_rounded].max() <= 1


def test_the_level_of_recorded_noise_is_that_of_white_noise_which_leaves_as_much_in_luma() -> None:
    clean = np.full((40, 40, 3), 0.5, np.float32)
    deviations = np.array([0.02, 0.05, 0.08], np.float32)
    noisy = clean + deviations * np.random.default_rng(0).standard_normal(clean.shape, dtype=np.float32)
    expected = np.linalg.norm(deviations * LUMA_WEIGHTS) / LUMA_NOISE
    assert RecordedNoise().measure_level(noisy, clean) == pytest.approx(expected, rel=0.05)
    assert RecordedNoise(highest=10).measure_level(noisy, clean) == pytest.approx(10 / 255)


def test_the_level_of_gray_noise_is_its_standard_deviation_however_many_channels_hold_it() -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, (40, 40, 1)).astype(np.float32)
    for noisy in (noise, np.repeat(noise, 3, axis=-1)):
        assert RecordedNoise().measure_level(noisy, np.zeros_like(noisy)) == pytest.approx(0.05, rel=0.05)


def test_another_brightness_or_tint_of_the_noisy_image_is_no_noise() -> None:
    clean = np.random.default_rng(0).random((20, 20, 3), dtype=np.float32)
    assert RecordedNoise().measure_level(clean + np.array([0.1, 0, -0.1], np.float32), clean) < 1e-6


def test_images_pair_up_with_the_noise_that_is_added_or_recorded() -> None:
    noisy, clean = pair_up(GRAY, GaussianNoise(0.1), np.random.default_rng(0))
    assert np.array_equal(clean, GRAY)
    assert np.array_equal(noisy, GaussianNoise(0.1).add_to(GRAY, np.random.default_rng(0)))
    pairs = np.concatenate([GRAY, GRAY / 2], axis=-1)
    noisy, clean = pair_up(pairs, RecordedNoise(), np.random.default_rng(0))
    assert np.array_equal(clean, GRAY)
    assert np.array_equal(noisy, GRAY / 2)
    assert np.array_equal(pair_up(pairs, NoNoise(), np.random.default_rng(0))[0], GRAY)
