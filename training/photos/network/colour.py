"""The network for colour: a U-Net cleans luma, and a small network beside it cleans chroma."""

import keras
from keras import KerasTensor, layers, ops

from training.images.luma import LUMA_NOISE
from training.images.noise import Images
from training.photos.network.unet import (
    BLOCKS,
    FOLD_PX,
    WIDTHS,
    UNet,
    add_blocks,
    add_level,
    convolve,
    double,
    halve,
    make_inputs,
)

CHANNELS = 3  # red, green, blue


def _split(image: KerasTensor, luma_weights: Images) -> tuple[KerasTensor, KerasTensor]:
    """Return the sum of the channels with ``luma_weights`` (3,), shape (N, H, W, 1), and each less their mean.

    Convolutions with these weights would do the same, but what they take may be rounded to bfloat16: of these sums and
    differences, that changes little.
    """
    channels = ops.unstack(image, CHANNELS, axis=-1)
    red, green, blue = (channel * float(weight) for channel, weight in zip(channels, luma_weights, strict=True))
    mean = (channels[0] + channels[1] + channels[2]) / CHANNELS
    chroma = ops.stack([channel - mean for channel in channels], axis=-1)
    return ops.expand_dims(red + green + blue, -1), chroma


def build_colour(unet: UNet, luma_weights: Images, side_px: int | None = None) -> keras.Model:
    """Build a network for images (N, H, W, 3), H and W multiples of 8, and ``noise_level`` (N,) around a U-Net.

    The U-Net sees luma alone, the sum of the channels with ``luma_weights``, in which most structure lies; its level is
    that of ``training.images.luma``, whatever the weights. A second one with half of its channels sees the differences
    of the channels alone (seeing luma, too, it would hardly learn them) and the features of the first one. It predicts
    the noise beside luma's, at first none. It has no biases, either.
    """
    inputs = make_inputs(CHANNELS, side_px)
    image, level = inputs["image"], inputs["noise_level"]
    luma, chroma = _split(image, luma_weights)
    *features, luma_noise = unet.find_features({"image": luma, "noise_level": level * LUMA_NOISE})
    widths = [level.shape[-1] // 2 for level in reversed(features)]

    skips = [add_level(convolve(widths[0], 2 * FOLD_PX, strides=FOLD_PX)(chroma), level)]
    for below in widths[1:]:
        skips.append(halve(skips[-1], below))
    hidden = _guide(skips.pop(), features[0])
    for skip, guide in zip(reversed(skips), features[1:], strict=True):
        hidden = double(add_blocks(hidden, 1), skip.shape[-1])
        hidden = _guide(layers.Add()([hidden, skip]), guide)
    chroma_noise = convolve(CHANNELS * FOLD_PX**2, 3, kernel_initializer="zeros")(hidden)
    noise = layers.Add()([ops.repeat(luma_noise, CHANNELS, axis=-1), chroma_noise])
    denoised = layers.Add(dtype="float32", name="denoised")([image, ops.depth_to_space(noise, FOLD_PX)])
    return keras.Model(inputs, denoised, name="colour")


def _guide(hidden: KerasTensor, features: KerasTensor) -> KerasTensor:
    """Add features of luma at the same places, mixed to as many channels."""
    return layers.Add()([hidden, convolve(hidden.shape[-1], 1)(features)])


def measure_receptive_radius(widths: tuple[int, ...] = WIDTHS, blocks: tuple[int, ...] = BLOCKS) -> int:
    """Return how many pixels away from an input pixel the output of ``build_colour`` can depend on it."""
    steps_px = [FOLD_PX * 2**level for level in range(len(widths))]
    depth = len(widths) - 1
    luma_px = chroma_px = sum(2 * count * step for count, step in zip(blocks[: depth + 1], steps_px, strict=True))
    for count, level in zip(blocks[depth + 1 :], reversed(range(depth)), strict=True):
        luma_px += 2 * count * steps_px[level]
        chroma_px = max(chroma_px + 2 * steps_px[level + 1], luma_px)  # chroma sees the features of luma
    folded = 2 * FOLD_PX  # the first convolution and the last one
    aligned = steps_px[-1]  # where in its block of the coarsest level the pixel lies
    return int(chroma_px + folded + aligned)
