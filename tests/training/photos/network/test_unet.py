import keras
import numpy as np
import pytest

from tests.training.photos.small import BLOCKS, WIDTHS, denoise, draw, fill
from training.images.metrics import count_macs
from training.photos.network.unet import build_unet

SIDE_PX = 64


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return fill(build_unet(WIDTHS, BLOCKS).denoise)


def test_it_has_a_million_parameters_and_costs_less_than_40_000_multiply_accumulates_a_pixel() -> None:
    unet = build_unet(side_px=SIDE_PX).denoise
    assert 0.9e6 < unet.count_params() < 1.1e6
    assert (count_macs(unet) or 0) / SIDE_PX**2 == pytest.approx(39_488)


def test_it_starts_as_the_identity() -> None:
    image = draw(2, 16, 24, 1)
    np.testing.assert_allclose(denoise(build_unet().denoise, image), image, atol=1e-6)


@pytest.mark.parametrize("size", [(8, 8), (16, 40), (64, 24)])
def test_any_multiple_of_eight_keeps_its_size(network: keras.Model, size: tuple[int, int]) -> None:
    assert denoise(network, draw(1, *size, 1)).shape == (1, *size, 1)


def test_twice_the_image_and_the_level_give_twice_the_answer(network: keras.Model) -> None:
    image = draw(1, 16, 16, 1)
    np.testing.assert_allclose(denoise(network, 2 * image, 0.4), 2 * denoise(network, image, 0.2), rtol=1e-3, atol=1e-4)


def test_the_noise_level_makes_a_difference(network: keras.Model) -> None:
    image = draw(1, 16, 16, 1)
    assert np.abs(denoise(network, image, 0.3) - denoise(network, image, 0.0)).max() > 1e-3
