from pathlib import Path

import keras
import numpy as np
import pytest

from tests.training.photos.small import BLOCKS, WIDTHS, build_small, denoise, draw, fill
from training.config import Part
from training.photos.network.photo import build_photo, find_parts, list_own_weights
from training.photos.network.unet import build_unet
from training.photos.network.weights import adapt_weights
from training.store.export import load_weights
from training.store.versions import find_version

STORE = Path(__file__).parents[4] / "model_store"


def adapt(old: keras.Model, *, knows_white: bool = True) -> keras.Model:
    new = build_photo(WIDTHS, BLOCKS, knows_white=knows_white)
    new.set_weights(adapt_weights(old.get_weights(), new))
    return new


def test_weights_of_the_same_network_stay_as_they_are() -> None:
    network = build_small()
    for one, other in zip(adapt(network).get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_one_unet_cleans_gray_images_of_any_noise_as_before() -> None:
    old = fill(build_unet(WIDTHS, BLOCKS).denoise)
    gray = draw(2, 16, 24, 1)
    parts = find_parts(adapt(old))
    for part in ("white-gray", "gray"):
        np.testing.assert_allclose(denoise(parts[part], gray), denoise(old, gray), rtol=1e-4, atol=1e-4)


def test_without_parts_for_white_noise_those_for_any_are_kept() -> None:
    old = build_small()
    new = list_own_weights(adapt(old, knows_white=False))
    for part, weights in new.items():
        for one, other in zip(weights, list_own_weights(old)[part], strict=True):
            np.testing.assert_array_equal(one, other)


def test_what_was_made_for_ones_own_noise_serves_white_noise_too() -> None:
    old = build_small(knows_white=False)
    new, before = list_own_weights(adapt(old)), list_own_weights(old)
    sources: dict[Part, Part] = {"white-gray": "gray", "white-colour": "colour", "gray": "gray", "colour": "colour"}
    for part, source in sources.items():
        for one, other in zip(new[part], before[source], strict=True):
            np.testing.assert_array_equal(one, other)


def test_of_two_unets_for_gray_and_colour_the_first_is_kept() -> None:
    old = fill(build_unet(WIDTHS, BLOCKS).denoise).get_weights()
    network = build_photo(WIDTHS, BLOCKS)
    fresh = network.get_weights()
    adapted = adapt_weights([*old, *(2 * array for array in old)], network)
    for one, other in zip(adapted, [*old, *old, *fresh[2 * len(old) :]], strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_of_the_committed_network_serve_as_a_start() -> None:
    network = build_photo()
    newest = find_version(STORE, "photo")
    adapted = adapt_weights(load_weights(newest), network)
    assert [array.shape for array in adapted] == [weight.shape for weight in network.weights]


@pytest.mark.parametrize("widths", [(4, 6), (4, 6, 10), (12, 6, 8)])
def test_weights_of_another_architecture_are_refused(widths: tuple[int, ...]) -> None:
    other = build_photo(widths=widths, blocks=(1,) * (2 * len(widths) - 1))
    with pytest.raises(ValueError, match="weights"):
        adapt(other)
