import keras
import numpy as np
import pytest

from tests.training.photos.small import BLOCKS, WIDTHS, build_small, denoise, draw, draw_white
from training.config import Muon, Part
from training.fit.optimizers import build_optimizer
from training.images.luma import GRAY_WEIGHTS, LUMA_WEIGHTS
from training.images.noise import Images
from training.photos.network.colour import build_colour, measure_receptive_radius
from training.photos.network.photo import (
    NETWORKS,
    build_photo,
    copy_part,
    find_parts,
    let_learn,
    list_own_weights,
    split_by_colour,
)
from training.photos.network.unet import build_unet
from training.presets import PRESETS

LEVEL = 0.1


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return build_small()


def draw_kinds() -> dict[Part, Images]:
    """Return an image for each part."""
    return {
        "white-gray": draw_white(1, 32, 32, 1, level=LEVEL),
        "gray": np.repeat(draw(1, 32, 32, 1), 3, axis=-1),
        "white-colour": draw_white(1, 32, 32, 3, level=LEVEL),
        "colour": draw(1, 32, 32, 3),
    }


def denoise_with(part: keras.Layer, image: Images, level: float) -> Images:
    """Return what a part makes of an image (1, H, W, 3): those for gray have one channel."""
    channels = part.inputs[0].shape[-1]
    return np.broadcast_to(denoise(part, image[..., :channels], level), image.shape)


@pytest.mark.parametrize("part", ["white-gray", "gray", "white-colour", "colour"])
def test_each_image_goes_through_the_network_of_its_kind(network: keras.Model, part: Part) -> None:
    image = draw_kinds()[part]
    alike = {name: layer for name, layer in find_parts(network).items() if name[-4:] == part[-4:]}
    found = denoise(network, image, LEVEL)
    by_part = {name: denoise_with(layer, image, LEVEL) for name, layer in alike.items()}
    assert [name for name, other in by_part.items() if np.allclose(found, other, rtol=1e-4, atol=1e-4)] == [part]


def test_images_of_a_batch_do_not_disturb_each_other(network: keras.Model) -> None:
    kinds = list(draw_kinds().values())
    alone = [denoise(network, image, LEVEL) for image in (*kinds, kinds[0])]
    together = denoise(network, np.concatenate([*kinds, kinds[0]]), LEVEL)
    np.testing.assert_allclose(together, np.concatenate(alone), rtol=1e-3, atol=1e-3)


def test_the_special_cases_compute_the_same_of_such_images(network: keras.Model) -> None:
    cases = split_by_colour(network)
    for part, image in draw_kinds().items():
        case = cases["gray" if part.endswith("gray") else "coloured"]
        np.testing.assert_allclose(denoise(case, image), denoise(network, image), rtol=1e-3, atol=1e-3)


def test_one_for_ones_own_noise_does_not_ask_whether_it_is_white() -> None:
    network = build_small(knows_white=False)
    assert find_parts(network).keys() == {"gray", "colour"}
    image = draw_white(1, 32, 32, 1, level=LEVEL)
    for level in (LEVEL, 0.3):
        expected = denoise_with(find_parts(network)["gray"], image, level)
        np.testing.assert_allclose(denoise(network, image, level), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("part", "luma"), [("white-colour", LUMA_WEIGHTS), ("colour", GRAY_WEIGHTS)])
def test_each_kind_of_noise_has_a_luma(network: keras.Model, part: Part, luma: Images) -> None:
    colour = build_colour(build_unet(WIDTHS, BLOCKS), luma)
    colour.set_weights(find_parts(network)[part].get_weights())
    image = draw_kinds()[part]
    np.testing.assert_allclose(denoise(network, image, LEVEL), denoise(colour, image, LEVEL), rtol=1e-4, atol=1e-4)


def test_it_has_no_biases() -> None:
    assert not [weight.path for weight in build_photo(WIDTHS, BLOCKS).weights if "bias" in weight.path]


def test_it_starts_as_the_identity() -> None:
    image = draw(2, 16, 24, 3)
    np.testing.assert_allclose(denoise(build_photo(WIDTHS, BLOCKS), image), image, atol=1e-6)


@pytest.mark.parametrize("size", [(8, 8), (16, 40), (64, 24)])
def test_any_multiple_of_eight_keeps_its_size(network: keras.Model, size: tuple[int, int]) -> None:
    assert denoise(network, draw(1, *size, 3)).shape == (1, *size, 3)


def test_gray_images_stay_gray(network: keras.Model) -> None:
    denoised = denoise(network, np.repeat(draw(2, 16, 24, 1), 3, axis=-1))
    np.testing.assert_array_equal(denoised, np.repeat(denoised[..., :1], 3, axis=-1))


@pytest.mark.parametrize("tint", [0, 1e-4])
def test_a_narrower_precision_rounds_no_pixels_and_takes_no_colour_for_gray(tint: float) -> None:
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        made = build_photo(widths=(4,), blocks=(0,))
    finally:
        keras.config.set_dtype_policy("float32")
    image = np.full((1, 8, 8, 3), 0.7013, np.float32)
    image[..., 2] += tint
    np.testing.assert_allclose(denoise(made, image), image, atol=1e-6)


@pytest.mark.parametrize("part", ["white-gray", "gray", "white-colour", "colour", None])
def test_only_the_part_that_is_named_learns_from_whatever_images(part: Part | None) -> None:
    made = build_photo(WIDTHS, BLOCKS)
    let_learn(made, part)
    made.compile(optimizer=build_optimizer(Muon(1e-2), steps=10), loss="mean_absolute_error", jit_compile=False)
    own = list_own_weights(made)
    before = {name: [weight.numpy() for weight in weights] for name, weights in own.items()}
    images = np.concatenate(list(draw_kinds().values()))
    made.fit({"image": images, "noise_level": np.full(4, LEVEL, np.float32)}, images / 2, epochs=3, verbose=0)
    changed = {
        name
        for name, weights in own.items()
        if any(not np.array_equal(old, new) for old, new in zip(before[name], weights, strict=True))
    }
    assert changed == ({part} if part else own.keys())


def test_a_part_takes_over_the_weights_of_another(network: keras.Model) -> None:
    copied = build_photo(WIDTHS, BLOCKS)
    copied.set_weights(network.get_weights())
    copy_part(copied, "white-gray", "gray")
    white, other = draw_kinds()["white-gray"], draw_kinds()["gray"]
    np.testing.assert_array_equal(denoise(copied, white), denoise(network, white))
    expected = denoise_with(find_parts(network)["white-gray"], other, LEVEL)
    np.testing.assert_allclose(denoise(copied, other), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("blocks", [BLOCKS, (1, 1, 1, 2, 1), (1, 1, 1, 3, 1)])
def test_no_pixel_depends_on_one_beyond_the_receptive_radius(blocks: tuple[int, ...]) -> None:
    # Positive weights, since with others distant effects might cancel.
    widths = (2, 2, 2)
    network = build_photo(widths, blocks, knows_white=False)
    network.set_weights([np.full(weight.shape, 0.1) for weight in network.weights])
    radius = measure_receptive_radius(widths, blocks)
    image = np.zeros((1, 16, 512, 3), np.float32)
    image[:, :, 250] = (0, 0.1, 0)  # else it would be gray
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
