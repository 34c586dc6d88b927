import cv2
import numpy as np
import pytest

from app.imaging.noise.blocks import describe_blocks
from app.imaging.noise.level import estimate_from_blocks, estimate_noise_level
from app.imaging.noise.white import estimate_white_noise
from app.imaging.samples import FloatImage
from tests.app.pictures import gradient, unit


def estimate(image: FloatImage) -> float:
    """Return the estimate on the 8-bit scale."""
    return 255 * estimate_noise_level(lambda first, last: image[first:last], *image.shape)


def white_estimate(image: FloatImage) -> float:
    return 255 * estimate_white_noise(lambda first, last: image[first:last], *image.shape)


def scene(height: int = 240, width: int = 320) -> FloatImage:
    """Make a picture of smooth parts and edges."""
    image = unit(gradient(height, width))
    image[40:120, 50:150] = 0.8
    return image


def add_noise(clean: FloatImage, sigma: float, *, blur_px: float = 0) -> FloatImage:
    noise = np.random.default_rng(0).normal(0, 1, clean.shape).astype(np.float32)
    if blur_px:
        noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), blur_px), np.float32)
    return np.asarray(clean + noise * np.float32(sigma / 255 / noise.std()), np.float32)


@pytest.mark.parametrize("sigma", [5, 15, 25, 50])
def test_white_noise_is_estimated_by_the_estimate_for_white_noise(sigma: float) -> None:
    noisy = add_noise(scene(), sigma)
    assert estimate(noisy) == white_estimate(noisy)


@pytest.mark.parametrize("sigma", [4, 8, 12])
def test_noise_that_neighbours_share_is_estimated_though_it_is_not_white(sigma: float) -> None:
    noisy = add_noise(scene(), sigma, blur_px=0.9)
    assert white_estimate(noisy) < 0.4 * sigma
    assert 0.6 * sigma < estimate(noisy) < 1.6 * sigma


@pytest.mark.parametrize(("sigma", "margin"), [(0.7, 1), (4, 1.15), (8, 1.15)])
def test_an_estimate_gets_a_margin_unless_it_is_weak(sigma: float, margin: float) -> None:
    noisy = add_noise(scene(), sigma, blur_px=0.9)
    described = describe_blocks(lambda first, last: noisy[first:last], *noisy.shape)
    assert described is not None
    found = 255 * estimate_from_blocks(described)
    assert (found < 1) == (margin == 1)
    assert estimate(noisy) == pytest.approx(margin * found)


def test_a_clean_picture_has_next_to_no_noise() -> None:
    assert estimate(scene()) < 1


@pytest.mark.parametrize("value", [0, 0.5, 1])
def test_a_uniform_picture_has_next_to_no_noise(value: float) -> None:
    assert estimate(np.full((64, 64), value, np.float32)) < 1


@pytest.mark.parametrize("shape", [(1, 1), (5, 100), (1, 3000)])
def test_a_picture_that_is_too_small_has_no_noise(shape: tuple[int, int]) -> None:
    assert estimate(np.full(shape, 0.5, np.float32)) == 0
