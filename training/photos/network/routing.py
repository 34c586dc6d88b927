"""Send each image of a batch through one of two networks."""

from collections.abc import Callable

import keras
from keras import KerasTensor, layers, ops

from training.photos.network.colour import CHANNELS

Inputs = dict[str, KerasTensor]
Pick = Callable[..., KerasTensor]  # takes ``image`` and ``noise_level``, and returns a mask (N,)

CORNER_PX = 8  # the smallest image


class InThreeChannels(layers.Layer):
    """Applies a network for one channel to gray images, whose three channels are equal."""

    def __init__(self, network: keras.Layer, **options: object) -> None:
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
