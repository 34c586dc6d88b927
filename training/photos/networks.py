"""The network for photographs of any size: residual U-Nets with the noise level as a second input."""

from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
from keras import KerasTensor, layers, ops
from numpy.typing import NDArray

from training.config import Part

Weights = NDArray[np.float32]

PHOTO_WIDTHS = (32, 64, 128)
PHOTO_BLOCKS = (1, 2, 2, 2, 1)
CHANNELS = 3  # red, green, blue; a gray image fills all three
FOLD_PX = 2  # the first level works on 2x2 pixels folded into channels
CORNER_PX = 8  # the smallest image


class UnfoldPixels(layers.Layer):
    """Turns 4C channels of a position into C channels of 2x2 pixels, at any size."""

    def call(self, image: KerasTensor) -> KerasTensor:
        """Return (N, 2H, 2W, C) for (N, H, W, 4C)."""
        count, height, width, channels = ops.shape(image)
        blocks = ops.reshape(image, (count, height, width, 2, 2, channels // 4))
        return ops.reshape(ops.transpose(blocks, (0, 1, 3, 2, 4, 5)), (count, 2 * height, 2 * width, channels // 4))

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the output of ``call``; unknown lengths stay unknown."""
        count, height, width, channels = shape
        return count, height and 2 * height, width and 2 * width, channels and channels // 4


class GrayOrColour(layers.Layer):
    """Applies one network to the gray images of a batch, whose channels are equal, and another to the rest.

    ``gray`` takes and returns one channel, ``colour`` three.
    """

    def __init__(self, gray: keras.Model, colour: keras.Model, **options: object) -> None:
        super().__init__(**options)
        self.gray = gray
        self.colour = colour

    def call(self, image: KerasTensor, noise_level: KerasTensor) -> KerasTensor:
        """Return the denoised images, (N, H, W, 3) like ``image``, in their order."""
        is_gray = ops.all(image == image[..., :1], axis=(1, 2, 3))
        gray, coloured = (ops.nonzero(mask)[0] for mask in (is_gray, ops.logical_not(is_gray)))
        denoised = [
            ops.repeat(_apply(self.gray, image[..., :1], noise_level, gray, coloured), CHANNELS, axis=-1),
            _apply(self.colour, image, noise_level, coloured, gray),
        ]
        return ops.take(ops.concatenate(denoised), ops.argsort(ops.concatenate([gray, coloured])), axis=0)

    def compute_output_shape(self, image: tuple[int | None, ...], *_: object) -> tuple[int | None, ...]:
        """Return the shape of the images."""
        return image


def _apply(
    network: keras.Model, image: KerasTensor, noise_level: KerasTensor, places: KerasTensor, others: KerasTensor
) -> KerasTensor:
    """Return what ``network`` makes of the images at ``places`` in the batch.

    Where there are none, TensorFlow's strided convolutions would return another height and width, and a branch of the
    graph would rule out its fast executor: a corner of another image then goes through the network, for nothing.
    """
    count = ops.size(places)
    _, height, width, channels = ops.shape(image)
    is_empty = count == 0
    chosen = ops.concatenate([places, others[: ops.cast(is_empty, "int32")]])
    bottom, right = (ops.where(is_empty, CORNER_PX, length) for length in (height, width))
    corners = ops.take(image, chosen, axis=0)[:, :bottom, :right]
    denoised = network({"image": corners, "noise_level": ops.take(noise_level, chosen, axis=0)})
    return ops.reshape(denoised[:count], (count, height, width, channels))


def build_photo(
    widths: tuple[int, ...] = PHOTO_WIDTHS, blocks: tuple[int, ...] = PHOTO_BLOCKS, side_px: int | None = None
) -> keras.Model:
    """Build a U-Net for gray and one for colour behind one interface: images (N, H, W, 3) and ``noise_level`` (N,).

    H and W are multiples of 8, free unless ``side_px`` sets both. An image passes through one of the two, each of which
    knows one kind of image only.
    """
    inputs = _make_inputs(CHANNELS, side_px)
    gray = build_unet(1, widths, blocks, side_px, name="gray")
    colour = build_unet(CHANNELS, widths, blocks, side_px, name="colour")
    # Rounded to 16 bits under mixed precision, pale colours would be gray.
    denoised = GrayOrColour(gray, colour, dtype="float32", name="denoised")(**inputs)
    return keras.Model(inputs, denoised, name="photo")


def split_by_colour(network: keras.Model) -> dict[str, keras.Model]:
    """Return what ``build_photo`` computes of batches whose images are all ``gray``, or all ``coloured``."""
    parts = network.get_layer("denoised")
    inputs = _make_inputs(CHANNELS)
    gray = parts.gray(inputs | {"image": inputs["image"][..., :1]})
    return {
        "gray": keras.Model(inputs, ops.repeat(gray, CHANNELS, axis=-1)),
        "coloured": keras.Model(inputs, parts.colour(inputs)),
    }


def freeze_other_part(network: keras.Model, part: Part | None) -> None:
    """Let only the U-Net ``part`` of what ``build_photo`` returns learn, or both if it is None."""
    parts = network.get_layer("denoised")
    parts.gray.trainable = part != "colour"
    parts.colour.trainable = part != "gray"


def _make_inputs(channels: int, side_px: int | None = None) -> dict[str, KerasTensor]:
    image = keras.Input((side_px, side_px, channels), name="image")
    return {"image": image, "noise_level": keras.Input((), name="noise_level")}


def build_unet(
    channels: int,
    widths: tuple[int, ...] = PHOTO_WIDTHS,
    blocks: tuple[int, ...] = PHOTO_BLOCKS,
    side_px: int | None = None,
    *,
    name: str = "unet",
) -> keras.Model:
    """Build a U-Net of 3x3 convolutions for images (N, H, W, C), H and W multiples of 8, and ``noise_level`` (N,).

    The first convolution folds 2x2 pixels into channels; ``widths`` are the channels of the levels, each half as high
    and wide as the one before, ``blocks`` the residual blocks on the way down and up. Without biases and normalisation
    the network is homogeneous: scaling image and noise level scales its output. It predicts the noise, at first none.

    Sources: O. Ronneberger et al., "U-Net", MICCAI 2015; K. Zhang et al., "FFDNet", IEEE TIP 27(9), 2018 (folded
    pixels, noise level as input; the same level everywhere makes its plane one number for each channel); S. Mohan et
    al., "Robust and interpretable blind image denoising via bias-free convolutional neural networks", ICLR 2020.
    """
    inputs = _make_inputs(channels, side_px)
    image = inputs["image"]
    hidden = _convolve(widths[0], 3 * FOLD_PX, strides=FOLD_PX, kernel_initializer="he_normal", name="fold")(image)
    level = layers.Reshape((1, 1, 1))(inputs["noise_level"])
    hidden = layers.Add()([hidden, layers.Dense(widths[0], use_bias=False, name="level")(level)])
    depth = len(widths) - 1
    skips = []
    for below, count in zip(widths[1:], blocks[:depth], strict=True):
        skips.append(_add_blocks(hidden, count))
        hidden = layers.Conv2D(below, 2, strides=2, use_bias=False, kernel_initializer="he_normal")(skips[-1])
    hidden = _add_blocks(hidden, blocks[depth])
    for skip, count in zip(reversed(skips), blocks[depth + 1 :], strict=True):
        hidden = layers.Conv2DTranspose(skip.shape[-1], 2, strides=2, use_bias=False)(hidden)
        hidden = _add_blocks(layers.Add()([hidden, skip]), count)
    noise = UnfoldPixels()(_convolve(channels * FOLD_PX**2, 3, kernel_initializer="zeros", name="unfold")(hidden))
    # Pixels keep their 32 bits under mixed precision, too.
    denoised = layers.Add(dtype="float32", name="denoised")([image, noise])
    return keras.Model(inputs, denoised, name=name)


def measure_receptive_radius(widths: tuple[int, ...] = PHOTO_WIDTHS, blocks: tuple[int, ...] = PHOTO_BLOCKS) -> int:
    """Return how many pixels away from an input pixel the output of ``build_photo`` can depend on it."""
    steps_px = [FOLD_PX * 2**level for level in range(len(widths))]
    levels = [*range(len(widths)), *reversed(range(len(widths) - 1))]
    convolved = sum(2 * count * steps_px[level] for level, count in zip(levels, blocks, strict=True))
    folded = 2 * FOLD_PX  # the first convolution and the last one
    aligned = steps_px[-1]  # where in its block of the coarsest level the pixel lies
    return int(convolved + folded + aligned)


def _convolve(filters: int, size: int, **options: object) -> layers.Conv2D:
    return layers.Conv2D(filters, size, padding="same", use_bias=False, **options)


def _add_blocks(image: KerasTensor, count: int) -> KerasTensor:
    """Add residual blocks, each of which starts as the identity."""
    channels = image.shape[-1]
    for _ in range(count):
        hidden = _convolve(channels, 3, activation="relu", kernel_initializer="he_normal")(image)
        hidden = _convolve(channels, 3, kernel_initializer="zeros")(hidden)
        image = layers.Add()([image, hidden])
    return image


def adapt_weights(weights: Sequence[Weights], shapes: Sequence[tuple[int, ...]]) -> list[Weights]:
    """Return the weights of ``build_photo``, or of a U-Net of its shape alone, in ``shapes``.

    A U-Net for one channel or three becomes both. From one channel to three, each feature of the first convolution sees
    one of them, and the outputs repeat: for gray images nothing changes. (With a third of each channel instead, all
    channels look alike, and colour is never learned.) From three to one, gray images change just as little.

    Raises:
        ValueError: they are of another architecture.
    """
    if 2 * len(weights) == len(shapes):
        weights = [*weights, *weights]
    if len(weights) != len(shapes):
        raise ValueError(f"{len(weights)} arrays of weights, expected {len(shapes)}")
    adapted = [_change_channels(array, shape) for array, shape in zip(weights, shapes, strict=True)]
    for array, shape in zip(adapted, shapes, strict=True):
        if array.shape != shape:
            raise ValueError(f"weights of shape {array.shape}, expected {shape}")
    return adapted


def _change_channels(array: Weights, shape: tuple[int, ...]) -> Weights:
    """Return ``array`` in ``shape`` if both are of the first, or both of the last convolution, else as it is."""
    inputs, outputs = shape[-2:]
    if array.shape == (*shape[:-2], 1, outputs) and inputs == CHANNELS:
        channel = np.arange(CHANNELS)[:, None] == np.arange(outputs) % CHANNELS
        return np.asarray(array * channel, np.float32)
    if array.shape == (*shape[:-2], CHANNELS, outputs) and inputs == 1:
        return np.asarray(array.sum(axis=-2, keepdims=True))
    if array.shape == (*shape[:-1], outputs // CHANNELS):
        return np.repeat(array, CHANNELS, axis=-1)
    if array.shape == (*shape[:-1], outputs * CHANNELS):
        return np.asarray(array.reshape(*shape, CHANNELS).mean(axis=-1))
    return array


NETWORKS: Mapping[str, Callable[[], keras.Model]] = {"photo": build_photo}
