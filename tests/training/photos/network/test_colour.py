import keras
import numpy as np
import pytest

from tests.training.photos.small import BLOCKS, WIDTHS, denoise, draw, fill
from training.images.luma import GRAY_WEIGHTS, LUMA_NOISE, LUMA_WEIGHTS
from training.images.metrics import count_macs
from training.images.noise import Images
from training.photos.network.colour import build_colour
from training.photos.network.unet import build_unet

SIDE_PX = 64


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return fill(build_colour(build_unet(WIDTHS, BLOCKS), LUMA_WEIGHTS))


def test_it_costs_less_than_45_000_multiply_accumulates_a_pixel() -> None:
    macs = count_macs(build_colour(build_unet(side_px=SIDE_PX), LUMA_WEIGHTS, SIDE_PX)) or 0
    assert 43_000 < macs / SIDE_PX**2 < 45_000


@pytest.mark.parametrize("weights", [LUMA_WEIGHTS, GRAY_WEIGHTS])
def test_at_first_it_takes_from_each_channel_what_the_unet_finds_in_luma(weights: Images) -> None:
    unet = build_unet(WIDTHS, BLOCKS)
    colour = build_colour(unet, weights)
    fill(unet.denoise)
    image = draw(1, 16, 24, 3)
    luma = image @ weights[:, None]
    noise = luma - denoise(unet.denoise, luma, 0.1 * LUMA_NOISE)
    np.testing.assert_allclose(denoise(colour, image, 0.1), image - noise, rtol=1e-4, atol=1e-4)


def test_twice_the_image_and_the_level_give_twice_the_answer(network: keras.Model) -> None:
    image = draw(1, 16, 16, 3)
    np.testing.assert_allclose(denoise(network, 2 * image, 0.4), 2 * denoise(network, image, 0.2), rtol=1e-3, atol=1e-4)


def test_chroma_is_cleaned_by_more_than_luma_says(network: keras.Model) -> None:
    image = draw(1, 16, 16, 3)
    removed = image - denoise(network, image)
    assert np.ptp(removed, axis=-1).max() > 1e-2


def test_chroma_is_cleaned_by_how_channels_differ_alone() -> None:
    unet = build_unet(WIDTHS, BLOCKS)
    network = fill(build_colour(unet, LUMA_WEIGHTS))
    unet.denoise.set_weights([0 * weight for weight in unet.denoise.get_weights()])  # nothing is found in luma
    image, brighter = draw(1, 16, 16, 3), draw(1, 16, 16, 1)
    removed, removed_brighter = (seen - denoise(network, seen) for seen in (image, image + brighter))
    assert np.abs(removed).max() > 1e-2
    np.testing.assert_allclose(removed_brighter, removed, atol=1e-5)
