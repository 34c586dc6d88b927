import numpy as np

from training.noise import GaussianNoise, NoNoise

GRAY = np.full((20, 32, 32, 1), 0.5, np.float32)


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
    assert [str(noise) for noise in (GaussianNoise(0.4), GaussianNoise(0.25, clipped=False), NoNoise())] == [
        "Gaussian 0.4 clipped",
        "Gaussian 0.25 not clipped",
        "none",
    ]
