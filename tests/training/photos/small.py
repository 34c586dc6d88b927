"""Small networks for photographs, and calls of them."""

import keras
import numpy as np

from training.images.noise import Images
from training.photos.network.photo import build_photo

WIDTHS, BLOCKS = (4, 6, 8), (1, 1, 1, 1, 1)


def build_small(*, knows_white: bool = True) -> keras.Model:
    """Return a network of which every weight takes part."""
    return fill(build_photo(WIDTHS, BLOCKS, knows_white=knows_white))


def fill(network: keras.Model, seed: int = 0) -> keras.Model:
    rng = np.random.default_rng(seed)
    network.set_weights([rng.normal(0, 0.3, weight.shape) for weight in network.weights])
    return network


def denoise(network: keras.Model, image: Images, level: float = 0.1) -> Images:
    levels = np.full(len(image), level, np.float32)
    return np.asarray(keras.ops.convert_to_numpy(network({"image": image, "noise_level": levels})))


def draw(*shape: int) -> Images:
    """Return random numbers from 0 to 1."""
    return np.random.default_rng(1).random(shape, dtype=np.float32)


def draw_white(*shape: int, level: float) -> Images:
    """Return white noise of a level, (N, H, W, 3) or, with one channel, in all three."""
    noise = np.random.default_rng(2).normal(0.5, level, shape).astype(np.float32)
    return np.repeat(noise, 3, axis=-1) if noise.shape[-1] == 1 else noise
