"""The U-Net that cleans one channel, the noise level told."""

from typing import NamedTuple

import keras
from keras import KerasTensor, layers, ops

WIDTHS = (32, 64, 128)
BLOCKS = (1, 2, 2, 2, 1)
FOLD_PX = 2  # the first level works on 2x2 pixels folded into channels


class UNet(NamedTuple):
    """A network for one channel, and what a network for colour takes of it.

    ``denoise`` maps ``image`` (N, H, W, 1) and ``noise_level`` (N,) to the denoised images, ``find_features`` to the
    features of each level on the way up, the coarsest first, and the noise of 2x2 pixels (N, H / 2, W / 2, 4).
    """

    denoise: keras.Model
    find_features: keras.Model


def build_unet(widths: tuple[int, ...] = WIDTHS, blocks: tuple[int, ...] = BLOCKS, side_px: int | None = None) -> UNet:
    """Build a U-Net of 3x3 convolutions for images (N, H, W, 1), H and W multiples of 8, and ``noise_level`` (N,).

    The first convolution folds 2x2 pixels into channels; ``widths`` are the channels of the levels, each half as high
    and wide as the one before, ``blocks`` the residual blocks on the way down and up. Without biases and normalisation
    the network is homogeneous: scaling image and noise level scales its output. It predicts the noise, at first none.

    Sources: O. Ronneberger et al., "U-Net", MICCAI 2015; K. Zhang et al., "FFDNet", IEEE TIP 27(9), 2018 (folded
    pixels, noise level as input; the same level everywhere makes its plane one number for each channel); S. Mohan et
    al., "Robust and interpretable blind image denoising via bias-free convolutional neural networks", ICLR 2020.
    """
    inputs = make_inputs(1, side_px)
    hidden = convolve(widths[0], 3 * FOLD_PX, strides=FOLD_PX, name="fold")(inputs["image"])
    hidden = add_level(hidden, inputs["noise_level"])
    depth = len(widths) - 1
    skips = []
    for below, count in zip(widths[1:], blocks[:depth], strict=True):
        skips.append(add_blocks(hidden, count))
        hidden = halve(skips[-1], below)
    features = [add_blocks(hidden, blocks[depth])]
    for skip, count in zip(reversed(skips), blocks[depth + 1 :], strict=True):
        hidden = layers.Add()([double(features[-1], skip.shape[-1]), skip])
        features.append(add_blocks(hidden, count))
    noise = convolve(FOLD_PX**2, 3, kernel_initializer="zeros", name="unfold")(features[-1])
    # Pixels keep their 32 bits under mixed precision, too.
    denoised = layers.Add(dtype="float32", name="denoised")([inputs["image"], ops.depth_to_space(noise, FOLD_PX)])
    return UNet(keras.Model(inputs, denoised, name="unet"), keras.Model(inputs, [*features, noise], name="features"))


def make_inputs(channels: int, side_px: int | None = None) -> dict[str, KerasTensor]:
    """Return ``image`` (N, H, W, C), H and W free unless ``side_px`` sets both, and ``noise_level`` (N,)."""
    image = keras.Input((side_px, side_px, channels), name="image")
    return {"image": image, "noise_level": keras.Input((), name="noise_level")}


def convolve(filters: int, size: int, **options: object) -> layers.Conv2D:
    """Return a convolution that keeps the size and has no bias."""
    initializer = {"kernel_initializer": "he_normal"}
    return layers.Conv2D(filters, size, padding="same", use_bias=False, **(initializer | options))


def add_level(hidden: KerasTensor, noise_level: KerasTensor) -> KerasTensor:
    """Add what the noise level (N,) means to each channel of (N, H, W, C)."""
    level = layers.Reshape((1, 1, 1))(noise_level)
    return layers.Add()([hidden, layers.Dense(hidden.shape[-1], use_bias=False)(level)])


def add_blocks(image: KerasTensor, count: int) -> KerasTensor:
    """Add residual blocks, each of which starts as the identity."""
    channels = image.shape[-1]
    for _ in range(count):
        hidden = convolve(channels, 3, activation="relu")(image)
        hidden = convolve(channels, 3, kernel_initializer="zeros")(hidden)
        image = layers.Add()([image, hidden])
    return image


def halve(image: KerasTensor, filters: int) -> KerasTensor:
    """Return an image half as high and wide."""
    return layers.Conv2D(filters, 2, strides=2, use_bias=False, kernel_initializer="he_normal")(image)


def double(image: KerasTensor, filters: int) -> KerasTensor:
    """Return an image twice as high and wide."""
    return layers.Conv2DTranspose(filters, 2, strides=2, use_bias=False)(image)
