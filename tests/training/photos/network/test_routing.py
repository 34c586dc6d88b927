import keras
import numpy as np
import pytest
from keras import KerasTensor, ops

from tests.training.photos.small import draw
from training.images.noise import Images
from training.photos.network.routing import Either, InThreeChannels

NOISY = np.array([True, False, False, True])


def scale(factor: float, channels: int | None = None) -> keras.Model:
    """Return what stands for a network that denoises: it multiplies images by a factor."""
    image = keras.Input((None, None, channels), name="image")
    return keras.Model({"image": image, "noise_level": keras.Input((), name="noise_level")}, image * factor)


def is_noisy(noise_level: KerasTensor, **_: KerasTensor) -> KerasTensor:
    return noise_level > 0.5


def send(images: Images, noisy: Images, *, always_chosen: bool | None = None) -> Images:
    either = Either(is_noisy, scale(2), scale(3))
    either.always_chosen = always_chosen
    return np.asarray(ops.convert_to_numpy(either({"image": images, "noise_level": noisy.astype(np.float32)})))


@pytest.mark.parametrize("noisy", [NOISY, ~NOISY, np.ones(4), np.zeros(4)])
def test_each_image_goes_through_the_network_that_is_picked(noisy: Images) -> None:
    images = draw(4, 16, 24, 2)
    factors = np.where(noisy.astype(bool), 2, 3)[:, None, None, None]
    np.testing.assert_allclose(send(images, noisy), images * factors, rtol=1e-6)


@pytest.mark.parametrize(("always_chosen", "factor"), [(True, 2), (False, 3)])
def test_while_one_network_learns_all_images_go_through_it(always_chosen: bool, factor: int) -> None:
    images = draw(4, 16, 24, 2)
    np.testing.assert_allclose(send(images, NOISY, always_chosen=always_chosen), images * factor, rtol=1e-6)


def test_a_network_for_one_channel_serves_gray_images_of_three() -> None:
    inputs = {"image": np.repeat(draw(2, 8, 8, 1), 3, axis=-1), "noise_level": np.zeros(2, np.float32)}
    np.testing.assert_allclose(InThreeChannels(scale(2, channels=1))(inputs), inputs["image"] * 2, rtol=1e-6)
