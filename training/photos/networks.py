"""The network for photographs of any size: one interface in front of a network for each kind of image and noise."""

from collections.abc import Callable, Mapping
from functools import partial

import keras
from keras import KerasTensor, layers, ops

from training.config import Part
from training.photos.colour import CHANNELS, build_colour, is_gray
from training.photos.unet import BLOCKS, WIDTHS, build_unet, make_inputs
from training.photos.whiteness import is_white

Inputs = dict[str, KerasTensor]
Pick = Callable[..., KerasTensor]  # takes ``image`` and ``noise_level``, returns a mask (N,)

CORNER_PX = 8  # the smallest image


class InThreeChannels(layers.Layer):
    """Applies a network for one channel to gray images, whose three channels are equal."""

    def __init__(self, network: keras.Model, **options: object) -> None:
        super().__init__(**options)
        self.network = network

    def call(self, inputs: Inputs) -> KerasTensor:
        """Return the denoised images, (N, H, W, 3)."""
        denoised = self.network(inputs | {"image": inputs["image"][..., :1]})
        return ops.repeat(denoised, CHANNELS, axis=-1)

    def compute_output_spec(self, inputs: Inputs) -> KerasTensor:
        """Return the shape and type of the images."""
        return KerasTensor(inputs["image"].shape, "float32")


class Either(layers.Layer):
    """Applies one network to the images of a batch that ``pick`` chooses, and another to the rest.

    While one of them learns alone, all images go through it: ``always_chosen`` is True or False.
    """

    def __init__(self, pick: Pick, chosen: keras.Layer, rest: keras.Layer, **options: object) -> None:
        super().__init__(**options)
        self.pick = pick
        self.chosen = chosen
        self.rest = rest
        self.always_chosen: bool | None = None

    def call(self, inputs: Inputs) -> KerasTensor:
        """Return the denoised images, in their order."""
        if self.always_chosen is not None:
            return self.chosen(inputs) if self.always_chosen else self.rest(inputs)
        mask = self.pick(**inputs)
        chosen, rest = (ops.nonzero(places)[0] for places in (mask, ops.logical_not(mask)))
        denoised = [_apply(self.chosen, inputs, chosen, rest), _apply(self.rest, inputs, rest, chosen)]
        return ops.take(ops.concatenate(denoised), ops.argsort(ops.concatenate([chosen, rest])), axis=0)

    def compute_output_spec(self, inputs: Inputs) -> KerasTensor:
        """Return the shape and type of the images."""
        return KerasTensor(inputs["image"].shape, "float32")


def _apply(network: keras.Layer, inputs: Inputs, places: KerasTensor, others: KerasTensor) -> KerasTensor:
    """Return what ``network`` makes of the images at ``places`` in the batch.

    Where there are none, TensorFlow's strided convolutions would return another height and width, and a branch of the
    graph would rule out its fast executor: a corner of another image then goes through the network, for nothing.
    """
    image, noise_level = inputs["image"], inputs["noise_level"]
    count = ops.size(places)
    _, height, width, channels = ops.shape(image)
    is_empty = count == 0
    chosen = ops.concatenate([places, others[: ops.cast(is_empty, "int32")]])
    bottom, right = (ops.where(is_empty, CORNER_PX, length) for length in (height, width))
    corners = ops.take(image, chosen, axis=0)[:, :bottom, :right]
    denoised = network({"image": corners, "noise_level": ops.take(noise_level, chosen, axis=0)})
    return ops.reshape(denoised[:count], (count, height, width, channels))


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
    gray: list[keras.Layer] = [InThreeChannels(unet.denoise, **float32) for unet in unets]
    colour: list[keras.Layer] = [build_colour(unet, side_px) for unet in unets]
    inputs = make_inputs(CHANNELS, side_px)
    kinds = [Either(is_white, *pair, **float32) if knows_white else pair[0] for pair in (gray, colour)]
    return keras.Model(inputs, Either(is_gray, *kinds, **float32, name="denoised")(inputs), name="photo")


def find_parts(network: keras.Model) -> dict[Part, keras.Layer]:
    """Return the networks inside what ``build_photo`` returns; those for colour contain those for gray."""
    kinds = network.get_layer("denoised")
    parts: dict[Part, keras.Layer] = {"gray": kinds.chosen, "colour": kinds.rest}
    if not isinstance(kinds.chosen, Either):
        return parts
    return {
        "white-gray": kinds.chosen.chosen,
        "gray": kinds.chosen.rest,
        "white-colour": kinds.rest.chosen,
        "colour": kinds.rest.rest,
    }


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
    kinds = network.get_layer("denoised")
    kinds.always_chosen = None if part is None else part.endswith("gray")
    for kind in (kinds.chosen, kinds.rest):
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
