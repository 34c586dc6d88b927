import numpy as np
import pytest

from app.imaging.noise.white import PATCH_PX, estimate_white_noise
from app.imaging.samples import FloatImage
from tests.app.pictures import gradient, unit


def estimate(image: FloatImage) -> float:
    """Return the estimate on the 8-bit scale."""
    return 255 * estimate_white_noise(lambda first, last: image[first:last], *image.shape)


def scene(height: int = 240, width: int = 320) -> FloatImage:
    """Make a picture of smooth parts, edges and fine stripes."""
    image = unit(gradient(height, width))
    image[40:120, 50:150] = 0.8
    image[150:, 200:] = 0.4 + 0.3 * (np.arange(width - 200) % 3 == 0)
    return image


def add_noise(clean: FloatImage, sigma: float, *, rounded: bool = False) -> FloatImage:
    noisy = clean + np.random.default_rng(0).normal(0, sigma / 255, clean.shape).astype(np.float32)
    return unit(np.rint(np.clip(noisy, 0, 1) * 255).astype(np.uint8)) if rounded else noisy


@pytest.mark.parametrize("sigma", [5, 15, 25, 50, 75])
def test_white_noise_is_estimated_whatever_the_picture_shows(sigma: float) -> None:
    assert estimate(add_noise(scene(), sigma)) == pytest.approx(sigma, abs=1)


@pytest.mark.parametrize("sigma", [5, 15, 25])
def test_clipped_and_rounded_noise_is_estimated(sigma: float) -> None:
    assert estimate(add_noise(scene(), sigma, rounded=True)) == pytest.approx(sigma, abs=2)


def test_a_clean_picture_has_no_noise() -> None:
    assert estimate(scene()) < 0.5


@pytest.mark.parametrize("level", [0, 0.5, 1])
def test_a_uniform_picture_has_no_noise(level: float) -> None:
    assert estimate(np.full((64, 64), level, np.float32)) == pytest.approx(0, abs=1e-3)


def test_parts_with_clipped_noise_do_not_count() -> None:
    clean = np.zeros((200, 200), np.float32)
    clean[:, 120:] = 0.5
    assert estimate(add_noise(clean, 20, rounded=True)) == pytest.approx(20, abs=1)


def test_a_picture_of_a_digit_is_large_enough() -> None:
    assert estimate(add_noise(np.full((28, 28), 0.5, np.float32), 25)) == pytest.approx(25, abs=3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (PATCH_PX - 1, 100), (PATCH_PX, PATCH_PX)])
def test_a_picture_that_is_too_small_has_no_noise(shape: tuple[int, int]) -> None:
    assert estimate(add_noise(np.full(shape, 0.5, np.float32), 25)) == 0


def test_only_a_sample_of_a_large_picture_is_read() -> None:
    read = 0

    def read_rows(first: int, last: int) -> FloatImage:
        nonlocal read
        read += last - first
        return np.random.default_rng(first).normal(0.5, 0.1, (last - first, 3000)).astype(np.float32)

    assert estimate_white_noise(read_rows, 3000, 3000) == pytest.approx(0.1, abs=0.005)
    assert read < 3000
