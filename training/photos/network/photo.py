"""The network for photographs of any size: one interface in front of a network for each kind of image and noise."""

from collections.abc import Callable, Mapping
from functools import partial

import keras
from keras import KerasTensor, ops

from training.config import Part
from training.images.luma import GRAY_WEIGHTS, LUMA_WEIGHTS
from training.photos.network.colour import CHANNELS, build_colour
from training.photos.network.routing import Either, InThreeChannels
from training.photos.network.unet import BLOCKS, WIDTHS, build_unet, make_inputs
from training.photos.network.whiteness import is_white


def build_photo(
    widths: tuple[int, ...] = WIDTHS,
    blocks: tuple[int, ...] = BLOCKS,
    side_px: int | None = None,
    *,
    knows_white: bool = True,
) -> keras.Model:
    """Build networks for gray and for colour behind one interface: images (N, H, W, 3) and ``noise_level`` (N,).

    H and W are multiples of 8, free unless ``side_px`` sets both. An image passes through one network alone. With
    ``knows_white``, there are two of each: one for white noise, and one for any.
    """
    float32 = {"dtype": "float32"}  # rounded to 16 bits under mixed precision, pale colours would be gray
    unets = [build_unet(widths, blocks, side_px) for _ in range(1 + knows_white)]
    # White noise is weakest in the first luma; that of cameras, which see green best, in the other.
    lumas = [LUMA_WEIGHTS, GRAY_WEIGHTS] if knows_white else [GRAY_WEIGHTS]
    colours = [build_colour(unet, luma, side_px) for unet, luma in zip(unets, lumas, strict=True)]
    networks = [unet.denoise for unet in unets], colours
    gray, colour = (Either(is_white, *pair, **float32) if knows_white else pair[0] for pair in networks)
    inputs = make_inputs(CHANNELS, side_px)
    kinds = Either(_is_gray, InThreeChannels(gray, **float32), colour, **float32, name="denoised")
    return keras.Model(inputs, kinds(inputs), name="photo")


def _is_gray(image: KerasTensor, **_: KerasTensor) -> KerasTensor:
    """Return for each image (N, H, W, 3) whether its channels are equal, whatever its noise level."""
    return ops.all(image == image[..., :1], axis=(1, 2, 3))


def find_parts(network: keras.Model) -> dict[Part, keras.Layer]:
    """Return the networks inside what ``build_photo`` returns: of one channel for gray, of three for colour.

    Those for colour contain those for gray.
    """
    gray, colour = _find_kinds(network)
    if not isinstance(gray, Either):
        return {"gray": gray, "colour": colour}
    return {"white-gray": gray.chosen, "gray": gray.rest, "white-colour": colour.chosen, "colour": colour.rest}


def _find_kinds(network: keras.Model) -> tuple[keras.Layer, keras.Layer]:
    """Return the networks for gray, (N, H, W, 1), and for colour."""
    kinds = network.get_layer("denoised")
    return kinds.chosen.network, kinds.rest


def list_own_weights(network: keras.Model) -> dict[Part, list[keras.Variable]]:
    """Return the weights of each part, for colour without those of the U-Net, in the order of the network's."""
    seen: set[int] = set()
    own = {}
    for part, layer in find_parts(network).items():
        own[part] = [weight for weight in layer.weights if id(weight) not in seen]
        seen.update(map(id, own[part]))
    return own


def let_learn(network: keras.Model, part: Part | None) -> None:
    """Let only the weights of ``part`` learn, from images that all go through it, or all weights if it is None."""
    for name, weights in list_own_weights(network).items():
        for weight in weights:
            weight.trainable = part in (None, name)
    network.get_layer("denoised").always_chosen = None if part is None else part.endswith("gray")
    for kind in _find_kinds(network):
        if isinstance(kind, Either):
            kind.always_chosen = None if part is None else part.startswith("white")


def copy_part(network: keras.Model, source: Part, target: Part) -> None:
    """Give one part the weights of another of the same kind."""
    own = list_own_weights(network)
    for old, new in zip(own[source], own[target], strict=True):
        new.assign(old)


def split_by_colour(network: keras.Model) -> dict[str, keras.Model]:
    """Return what ``build_photo`` computes of batches whose images are all ``gray``, or all ``coloured``."""
    kinds = network.get_layer("denoised")
    inputs = make_inputs(CHANNELS)
    return {"gray": keras.Model(inputs, kinds.chosen(inputs)), "coloured": keras.Model(inputs, kinds.rest(inputs))}


NETWORKS: Mapping[str, Callable[[], keras.Model]] = {
    "photo": build_photo,
    "photo-any-noise": partial(build_photo, knows_white=False),
}
