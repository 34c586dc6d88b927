"""The networks for images of 28x28 pixels, as functions that build a Keras model."""

from collections.abc import Callable, Mapping
from typing import Literal

import keras
from keras import layers

ARTICLE_FILTERS = 8


def build_article(filters: int = ARTICLE_FILTERS, pooling: Literal["max", "average"] = "max") -> keras.Model:
    """Build the 28x28 convolutional autoencoder of 4,385 parameters with a 4x4x8 bottleneck.

    Source: F. Chollet, "Building Autoencoders in Keras" (2016), section "Convolutional autoencoder". ``filters`` is the
    depth of the bottleneck and half that of the outer layers.
    """
    pool = layers.MaxPooling2D if pooling == "max" else layers.AveragePooling2D
    image = keras.Input((28, 28, 1), name="image")
    hidden = image
    for depth in (2 * filters, filters, filters):
        hidden = layers.Conv2D(depth, 3, activation="relu", padding="same")(hidden)
        hidden = pool(2, padding="same")(hidden)
    # The last convolution is unpadded, 16x16 -> 14x14, so that the last doubling ends at 28x28.
    for depth, padding in ((filters, "same"), (filters, "same"), (2 * filters, "valid")):
        hidden = layers.Conv2D(depth, 3, activation="relu", padding=padding)(hidden)
        hidden = layers.UpSampling2D(2)(hidden)
    denoised = layers.Conv2D(1, 3, activation="sigmoid", padding="same")(hidden)
    return keras.Model(image, denoised, name="article")


def build_dense() -> keras.Model:
    """Build a fully connected autoencoder of the 784 stacked pixels, which does not know their neighbours.

    Source: the same article, section "Deep autoencoder".
    """
    image = keras.Input((28, 28, 1), name="image")
    hidden = layers.Flatten()(image)
    for units in (128, 64, 32, 64, 128):
        hidden = layers.Dense(units, activation="relu")(hidden)
    denoised = layers.Reshape((28, 28, 1))(layers.Dense(784, activation="sigmoid")(hidden))
    return keras.Model(image, denoised, name="dense")


def build_digits() -> keras.Model:
    """Build a residual U-Net of two levels, 14x14 and 7x7, for 28x28 pixels.

    The first convolution folds 2x2 pixels into channels. On the 7x7 level, residual blocks alternate with bottlenecks
    through which every position sees all others, so that the whole digit shapes each stroke.
    """
    image = keras.Input((28, 28, 1), name="image")
    skip = layers.Conv2D(24, 5, strides=2, padding="same", activation="relu", name="fold")(image)
    hidden = layers.Conv2D(64, 3, strides=2, padding="same", activation="relu", name="down")(skip)
    for _ in range(2):
        hidden = _add_residual_block(hidden, channels=40)
        hidden = _add_global_bottleneck(hidden, units=160)
    hidden = _unfold_pixels(layers.Conv2D(4 * 24, 1, name="up")(hidden))
    hidden = layers.Activation("relu")(layers.Add()([hidden, skip]))
    hidden = _add_residual_block(hidden, channels=24)
    # Most pixels are black, which is where the bias starts.
    bias = keras.initializers.Constant(-2.0)
    hidden = _unfold_pixels(layers.Conv2D(4, 3, padding="same", bias_initializer=bias, name="unfold")(hidden))
    return keras.Model(image, layers.Activation("sigmoid", dtype="float32", name="denoised")(hidden), name="digits")


# Added branches end in weights of zero: a block starts as the identity, which trains faster.


def _add_residual_block(image: keras.KerasTensor, *, channels: int) -> keras.KerasTensor:
    hidden = layers.Conv2D(channels, 3, padding="same", activation="relu")(image)
    hidden = layers.Conv2D(image.shape[-1], 3, padding="same", kernel_initializer="zeros")(hidden)
    return layers.Add()([image, hidden])


def _add_global_bottleneck(image: keras.KerasTensor, *, units: int) -> keras.KerasTensor:
    _, height, width, channels = image.shape
    hidden = layers.Dense(units, activation="relu")(layers.Flatten()(image))
    hidden = layers.Dense(height * width * channels, kernel_initializer="zeros")(hidden)
    return layers.Add()([image, layers.Reshape((height, width, channels))(hidden)])


def _unfold_pixels(image: keras.KerasTensor) -> keras.KerasTensor:
    """Turn 4C channels of a position into C channels of 2x2 pixels."""
    _, height, width, channels = image.shape
    blocks = layers.Reshape((height, width, 2, 2, channels // 4))(image)
    blocks = layers.Permute((1, 3, 2, 4, 5))(blocks)
    return layers.Reshape((2 * height, 2 * width, channels // 4))(blocks)


NETWORKS: Mapping[str, Callable[[], keras.Model]] = {
    "article": build_article,
    "dense": build_dense,
    "digits": build_digits,
}
