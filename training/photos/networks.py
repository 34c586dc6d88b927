"""The network for photographs of any size: a residual U-Net with the noise level as a second input."""

from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
from keras import KerasTensor, layers, ops
from numpy.typing import NDArray

Weights = NDArray[np.float32]

PHOTO_WIDTHS = (32, 64, 128)
PHOTO_BLOCKS = (1, 2, 2, 2, 1)
CHANNELS = 3  # red, green, blue; a gray image fills all three
FOLD_PX = 2  # the first level works on 2x2 pixels folded into channels


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


def build_photo(
    widths: tuple[int, ...] = PHOTO_WIDTHS, blocks: tuple[int, ...] = PHOTO_BLOCKS, side_px: int | None = None
) -> keras.Model:
    """Build a U-Net of 3x3 convolutions for images (N, H, W, 3), H and W multiples of 8, and ``noise_level`` (N,).

    H and W are free unless ``side_px`` sets both.

    The first convolution folds 2x2 pixels into channels; ``widths`` are the channels of the levels, each half as high
    and wide as the one before, ``blocks`` the residual blocks on the way down and up. Without biases and normalisation
    the network is homogeneous: scaling image and noise level scales its output. It predicts the noise, at first none.

    Sources: O. Ronneberger et al., "U-Net", MICCAI 2015; K. Zhang et al., "FFDNet", IEEE TIP 27(9), 2018 (folded
    pixels, noise level as input; the same level everywhere makes its plane one number for each channel); S. Mohan et
    al., "Robust and interpretable blind image denoising via bias-free convolutional neural networks", ICLR 2020.
    """
    image = keras.Input((side_px, side_px, CHANNELS), name="image")
    noise_level = keras.Input((), name="noise_level")
    hidden = _convolve(widths[0], 3 * FOLD_PX, strides=FOLD_PX, kernel_initializer="he_normal", name="fold")(image)
    level = layers.Reshape((1, 1, 1))(noise_level)
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
    noise = UnfoldPixels()(_convolve(CHANNELS * FOLD_PX**2, 3, kernel_initializer="zeros", name="unfold")(hidden))
    # Pixels keep their 32 bits under mixed precision, too.
    denoised = layers.Add(dtype="float32", name="denoised")([image, noise])
    return keras.Model({"image": image, "noise_level": noise_level}, denoised, name="photo")


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
    """Return the weights of ``build_photo``, or of a network of its shape for one channel, in ``shapes``.

    Of a network for one channel, each feature of the first convolution sees one of the three channels, and the outputs
    repeat: for gray images nothing changes. (With a third of each channel instead, all channels look alike, and colour
    is never learned.)

    Raises:
        ValueError: they are of another architecture.
    """
    if len(weights) != len(shapes):
        raise ValueError(f"{len(weights)} arrays of weights, expected {len(shapes)}")
    adapted = []
    for array, shape in zip(weights, shapes, strict=True):
        if array.shape == (*shape[:2], 1, shape[-1]):
            channel = np.arange(CHANNELS)[:, None] == np.arange(shape[-1]) % CHANNELS
            array = array * channel
        elif array.shape == (*shape[:-1], shape[-1] // CHANNELS):
            array = np.repeat(array, CHANNELS, axis=-1)
        if array.shape != shape:
            raise ValueError(f"weights of shape {array.shape}, expected {shape}")
        adapted.append(np.asarray(array, np.float32))
    return adapted


NETWORKS: Mapping[str, Callable[[], keras.Model]] = {"photo": build_photo}
