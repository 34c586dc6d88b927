"""Figures of digits for the model card: examples, feature maps, and the comparison."""

from typing import TYPE_CHECKING

import keras
import numpy as np
from keras import layers, ops
from matplotlib.figure import Figure

from training.images.noise import GaussianNoise, Images, SaltAndPepperNoise

if TYPE_CHECKING:
    from training.digits.comparison import Results

MAX_TILES = 16
TILE_SHARE = 0.92
FEATURE_LAYERS = (layers.Conv2D, layers.MaxPooling2D, layers.AveragePooling2D)


def plot_examples(rows: dict[str, Images]) -> Figure:
    """Draw (N, H, W, 1) images in [0, 1], a titled row for each entry."""
    count = len(next(iter(rows.values())))
    figure = Figure(figsize=(count, 1.25 * len(rows)), layout="constrained")
    for strip, (title, images) in zip(figure.subfigures(len(rows), 1, squeeze=False)[:, 0], rows.items(), strict=True):
        strip.suptitle(title, fontsize=10)
        for panel, image in zip(np.ravel(strip.subplots(1, count)), images, strict=True):
            panel.imshow(image[..., 0], cmap="gray", vmin=0, vmax=1)
            panel.set_axis_off()
    return figure


def plot_features(network: keras.Model, image: Images) -> Figure:
    """Draw the output of each convolution and pooling for an image (H, W, 1): a row per layer, a tile per channel.

    At most ``MAX_TILES`` channels are drawn. Each layer has its own range, from black for zero to white for its
    highest value.
    """
    drawn = [layer for layer in network.layers if isinstance(layer, FEATURE_LAYERS)]
    maps = keras.Model(network.input, [layer.output for layer in drawn])(image[None], training=False)
    columns = min(MAX_TILES, max(layer.output.shape[-1] for layer in drawn))
    figure = Figure(figsize=(0.65 * columns + 1.2, 0.65 * len(drawn)), layout="constrained")
    panel = figure.subplots()
    for row, (layer, features) in enumerate(zip(drawn, maps, strict=True)):
        values = ops.convert_to_numpy(features)[0]
        for column, channel in enumerate(np.moveaxis(values, -1, 0)[:columns]):
            place = (column, column + TILE_SHARE, -row - TILE_SHARE, -row)
            panel.imshow(channel, cmap="gray", vmin=0, vmax=max(float(values.max()), 1e-6), extent=place)
        label = f"{type(layer).__name__}\n" + "×".join(str(length) for length in values.shape)
        panel.text(-0.15, -row - TILE_SHARE / 2, label, ha="right", va="center", fontsize=7)
    panel.set(xlim=(-2, columns), ylim=(-len(drawn), 0.1))
    panel.set_axis_off()
    return figure


def plot_psnr(results: "Results") -> Figure:
    """Draw PSNR against the strength of Gaussian (left) and salt-and-pepper noise (right), a line per method."""
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True, width_ratios=(2, 1))
    for name, scores in results.items():
        style = {"linewidth": 2.5} if "/" in name else {"linewidth": 1.2, "linestyle": "--"}
        gaussian = [(n.sigma, score.psnr_db) for n, score in scores.items() if isinstance(n, GaussianNoise)]
        panels[0].plot(*zip(*gaussian, strict=True), marker="o", markersize=3, label=name, **style)
        sprinkled = [(100 * n.share, score.psnr_db) for n, score in scores.items() if isinstance(n, SaltAndPepperNoise)]
        panels[1].plot(*zip(*sprinkled, strict=True), marker="o", markersize=3, **style)
    panels[0].set(xlabel="standard deviation of the Gaussian noise, clipped", ylabel="PSNR (dB)")
    panels[1].set(xlabel="salt and pepper (% of the pixels)")
    for panel in panels:
        panel.grid(alpha=0.3)
    figure.legend(loc="outside right center", frameon=False)
    return figure
