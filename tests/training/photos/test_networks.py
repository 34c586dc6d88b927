import keras
import numpy as np
import pytest

from training.images.metrics import count_macs
from training.images.noise import Images
from training.photos.networks import NETWORKS, UnfoldPixels, build_photo, measure_receptive_radius
from training.presets import PRESETS

SIDE_PX = 64


@pytest.fixture(scope="module")
def network() -> keras.Model:
    """A small one whose every weight takes part."""
    made = build_photo(widths=(4, 6, 8), blocks=(1, 1, 1, 1, 1))
    rng = np.random.default_rng(0)
    made.set_weights([rng.normal(0, 0.3, weight.shape) for weight in made.weights])
    return made


def denoise(network: keras.Model, image: Images, level: float = 0.1) -> Images:
    levels = np.full(len(image), level, np.float32)
    return np.asarray(keras.ops.convert_to_numpy(network({"image": image, "noise_level": levels})))


def noise(*shape: int) -> Images:
    return np.random.default_rng(1).random(shape, dtype=np.float32)


def test_it_has_a_million_parameters_and_costs_less_than_45_000_multiply_accumulates_a_pixel() -> None:
    network = build_photo(side_px=SIDE_PX)
    assert 0.9e6 < network.count_params() < 1.1e6
    macs = count_macs(network)
    assert macs is not None
    assert macs / SIDE_PX**2 < 45_000


def test_it_has_no_biases() -> None:
    assert not [weight.path for weight in build_photo().weights if "bias" in weight.path]


def test_it_starts_as_the_identity() -> None:
    image = noise(2, 16, 24, 1)
    np.testing.assert_allclose(denoise(build_photo(), image), image, atol=1e-6)


@pytest.mark.parametrize("size", [(8, 8), (16, 40), (64, 24)])
def test_any_multiple_of_eight_keeps_its_size(network: keras.Model, size: tuple[int, int]) -> None:
    assert denoise(network, noise(1, *size, 1)).shape == (1, *size, 1)


def test_twice_the_image_and_the_level_give_twice_the_answer(network: keras.Model) -> None:
    image = noise(1, 16, 16, 1)
    np.testing.assert_allclose(denoise(network, 2 * image, 0.4), 2 * denoise(network, image, 0.2), rtol=1e-3, atol=1e-4)


def test_the_noise_level_makes_a_difference(network: keras.Model) -> None:
    image = noise(1, 16, 16, 1)
    assert np.abs(denoise(network, image, 0.3) - denoise(network, image, 0.0)).max() > 1e-3


def test_pixels_are_unfolded_to_their_places() -> None:
    folded = np.arange(8, dtype=np.float32).reshape(1, 1, 2, 4)
    unfolded = keras.ops.convert_to_numpy(UnfoldPixels()(folded))
    np.testing.assert_array_equal(unfolded[0, ..., 0], [[0, 1, 4, 5], [2, 3, 6, 7]])


def test_no_pixel_depends_on_one_beyond_the_receptive_radius() -> None:
    # Positive weights, since with others distant effects might cancel.
    blocks = (1, 1, 1, 1, 1)
    network = build_photo(widths=(2, 2, 2), blocks=blocks)
    network.set_weights([np.full(weight.shape, 0.1) for weight in network.weights])
    radius = measure_receptive_radius((2, 2, 2), blocks)
    image = np.zeros((1, 16, 512, 1), np.float32)
    changed = image.copy()
    changed[:, :, 256] = 1
    difference = np.abs(denoise(network, changed, 0) - denoise(network, image, 0)).max(axis=(0, 1, 3))
    touched = np.flatnonzero(difference)
    assert 256 - radius <= touched[0]
    assert touched[-1] <= 256 + radius
    assert touched[-1] - touched[0] > radius


def test_the_presets_tiles_overlap_by_the_receptive_radius_at_most() -> None:
    interface = PRESETS["photo"].interface
    assert 0 < interface.halo_px <= measure_receptive_radius()
    assert NETWORKS["photo"] is build_photo
