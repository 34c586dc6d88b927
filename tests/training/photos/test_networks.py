from pathlib import Path

import keras
import numpy as np
import pytest

from training.config import Muon, Part
from training.fit.optimizers import build_optimizer
from training.images.metrics import count_macs
from training.images.noise import Images
from training.photos.networks import (
    NETWORKS,
    UnfoldPixels,
    adapt_weights,
    build_photo,
    build_unet,
    freeze_other_part,
    measure_receptive_radius,
    split_by_colour,
)
from training.presets import PRESETS
from training.store.export import load_weights

SIDE_PX = 64
STORE = Path(__file__).parents[3] / "model_store"


@pytest.fixture(scope="module")
def network() -> keras.Model:
    """A small one whose every weight takes part."""
    return fill(build_photo(widths=(4, 6, 8), blocks=(1, 1, 1, 1, 1)))


def denoise(network: keras.Model, image: Images, level: float = 0.1) -> Images:
    levels = np.full(len(image), level, np.float32)
    return np.asarray(keras.ops.convert_to_numpy(network({"image": image, "noise_level": levels})))


def noise(*shape: int) -> Images:
    return np.random.default_rng(1).random(shape, dtype=np.float32)


@pytest.mark.parametrize("channels", [1, 3])
def test_each_part_has_a_million_parameters_and_costs_less_than_45_000_multiply_accumulates_a_pixel(
    channels: int,
) -> None:
    unet = build_unet(channels, side_px=SIDE_PX)
    assert 0.9e6 < unet.count_params() < 1.1e6
    macs = count_macs(unet)
    assert macs is not None
    assert macs / SIDE_PX**2 < 45_000


def test_it_has_no_biases() -> None:
    assert not [weight.path for weight in build_photo().weights if "bias" in weight.path]


def test_it_starts_as_the_identity() -> None:
    image = noise(2, 16, 24, 3)
    np.testing.assert_allclose(denoise(build_photo(), image), image, atol=1e-6)


@pytest.mark.parametrize("size", [(8, 8), (16, 40), (64, 24)])
def test_any_multiple_of_eight_keeps_its_size(network: keras.Model, size: tuple[int, int]) -> None:
    assert denoise(network, noise(1, *size, 3)).shape == (1, *size, 3)


def test_twice_the_image_and_the_level_give_twice_the_answer(network: keras.Model) -> None:
    image = noise(1, 16, 16, 3)
    np.testing.assert_allclose(denoise(network, 2 * image, 0.4), 2 * denoise(network, image, 0.2), rtol=1e-3, atol=1e-4)


def test_the_noise_level_makes_a_difference(network: keras.Model) -> None:
    image = noise(1, 16, 16, 3)
    assert np.abs(denoise(network, image, 0.3) - denoise(network, image, 0.0)).max() > 1e-3


def test_gray_and_coloured_images_of_a_batch_do_not_disturb_each_other(network: keras.Model) -> None:
    batch = noise(5, 16, 24, 3)
    batch[[0, 3]] = batch[[0, 3], ..., :1]
    alone = [denoise(network, batch[place : place + 1]) for place in range(len(batch))]
    np.testing.assert_allclose(denoise(network, batch), np.concatenate(alone), rtol=1e-3, atol=1e-3)


def test_the_special_cases_compute_the_same_of_such_images(network: keras.Model) -> None:
    image = noise(2, 16, 24, 3)
    cases = split_by_colour(network)
    np.testing.assert_allclose(denoise(cases["coloured"], image), denoise(network, image), rtol=1e-3, atol=1e-3)
    image[:] = image[..., :1]
    np.testing.assert_allclose(denoise(cases["gray"], image), denoise(network, image), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("part", "learning"), [("gray", [True, False]), ("colour", [False, True]), (None, [True, True])]
)
def test_only_the_part_that_is_named_learns(part: Part | None, learning: list[bool]) -> None:
    made = build_photo(widths=(4, 6, 8), blocks=(1, 1, 1, 1, 1))
    freeze_other_part(made, part)
    made.compile(optimizer=build_optimizer(Muon(1e-2), steps=10), loss="mean_absolute_error", jit_compile=False)
    before = made.get_weights()
    images = noise(4, 16, 16, 3)
    images[:2] = images[:2, ..., :1]
    made.fit({"image": images, "noise_level": np.full(4, 0.1, np.float32)}, images / 2, epochs=3, verbose=0)
    changed = [not np.array_equal(old, new) for old, new in zip(before, made.get_weights(), strict=True)]
    half = len(changed) // 2
    assert [any(changed[:half]), any(changed[half:])] == learning


def test_gray_images_stay_gray(network: keras.Model) -> None:
    denoised = denoise(network, np.repeat(noise(2, 16, 24, 1), 3, axis=-1))
    np.testing.assert_array_equal(denoised, np.repeat(denoised[..., :1], 3, axis=-1))


def test_the_slightest_colour_makes_an_image_coloured(network: keras.Model) -> None:
    image = np.repeat(noise(1, 16, 24, 1), 3, axis=-1)
    gray = denoise(network, image)
    image[0, 0, 0, 2] += 1e-4
    assert np.abs(denoise(network, image) - gray).max() > 1e-2


def test_a_narrower_precision_takes_no_colour_for_gray() -> None:
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        made = build_photo(widths=(4,), blocks=(0,))
    finally:
        keras.config.set_dtype_policy("float32")
    image = np.full((1, 8, 8, 3), 0.5, np.float32)
    image[..., 2] += 1e-4
    assert denoise(made, image)[0, 0, 0].tolist() == pytest.approx(image[0, 0, 0].tolist(), abs=1e-6)


def fill(network: keras.Model) -> keras.Model:
    rng = np.random.default_rng(0)
    network.set_weights([rng.normal(0, 0.3, weight.shape) for weight in network.weights])
    return network


def adapt(old: keras.Model) -> keras.Model:
    new = build_photo(widths=(6,), blocks=(0,))
    new.set_weights(adapt_weights(old.get_weights(), [weight.shape for weight in new.weights]))
    return new


def test_weights_for_one_channel_denoise_gray_as_before() -> None:
    old = fill(build_unet(1, widths=(6,), blocks=(0,)))
    gray = noise(2, 16, 24, 1)
    expected = np.repeat(denoise(old, gray), 3, axis=-1)
    in_three = np.repeat(gray, 3, axis=-1)
    np.testing.assert_allclose(denoise(adapt(old), in_three), expected, atol=1e-5)
    in_three[:, 0, 0, 2] += 1e-6
    np.testing.assert_allclose(denoise(adapt(old), in_three), expected, atol=1e-4)


def test_after_that_the_channels_of_colour_differ() -> None:
    new = adapt(build_unet(1, widths=(6,), blocks=(0,)))
    (fold,) = (weight for weight in new.get_weights() if weight.shape[2:] == (3, 6))
    assert [np.flatnonzero(np.abs(fold[..., feature]).sum(axis=(0, 1))).tolist() for feature in range(6)] == [
        [0], [1], [2], [0], [1], [2]
    ]  # fmt: skip


def test_weights_for_three_channels_denoise_colour_as_before_and_gray_by_its_mean() -> None:
    old = fill(build_unet(3, widths=(6,), blocks=(0,)))
    image = noise(2, 16, 24, 3)
    np.testing.assert_allclose(denoise(adapt(old), image), denoise(old, image), atol=1e-5)
    image[:] = image[..., :1]
    expected = denoise(old, image).mean(axis=-1, keepdims=True)
    np.testing.assert_allclose(denoise(adapt(old), image), np.repeat(expected, 3, axis=-1), atol=1e-5)


def test_weights_of_the_same_network_stay_as_they_are(network: keras.Model) -> None:
    adapted = adapt_weights(network.get_weights(), [weight.shape for weight in network.weights])
    for one, other in zip(adapted, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_of_the_committed_network_serve_as_a_start() -> None:
    network = build_photo()
    adapted = adapt_weights(load_weights(STORE / "photo" / "2"), [weight.shape for weight in network.weights])
    assert [array.shape for array in adapted] == [weight.shape for weight in network.weights]


@pytest.mark.parametrize("widths", [(4, 6), (4, 6, 10), (12, 6, 8)])
def test_weights_of_another_architecture_are_refused(network: keras.Model, widths: tuple[int, ...]) -> None:
    other = build_photo(widths=widths, blocks=(1,) * (2 * len(widths) - 1))
    with pytest.raises(ValueError, match="weights"):
        adapt_weights(other.get_weights(), [weight.shape for weight in network.weights])


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
    image = np.zeros((1, 16, 512, 3), np.float32)
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
