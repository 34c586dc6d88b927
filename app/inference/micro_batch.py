"""Images that share a call of the network: which, as what arrays, and what comes of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.imaging.samples import FloatImage
from app.inference.denoiser import NoiseLevels

BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)  # micro-batches are padded to these, so that TensorFlow sees few shapes
MAX_BATCH_PIXELS = 2**18  # larger images gain nothing by sharing a call, and their memory would add up

# What waits is sorted by this: how many tiles of the picture are not done, and when it began.
Turn = tuple[int, float]
AT_ONCE: Turn = (0, 0.0)


@dataclass(frozen=True)
class NetworkCall:
    """How many images shared a call of the network, and for how many seconds one of them waited and was denoised."""

    batch_size: int
    queue_s: float
    infer_s: float


@dataclass(frozen=True)
class Denoised(NetworkCall):
    """The output of the network for one image, float32 of shape (H, W, C), and the call that produced it."""

    image: FloatImage


@dataclass(frozen=True, eq=False)
class Item:
    """An image that waits for its turn; ``arrived`` is a time of ``time.perf_counter``."""

    image: FloatImage
    noise_level: float | None
    future: "asyncio.Future[Denoised]"
    arrived: float
    turn: Turn


def take_batch(waiting: Sequence[Item], max_images: int) -> tuple[list[Item], list[Item]]:
    """Split what waits into the next micro-batch, of images as large as the first, and the rest in its order."""
    if not waiting:
        return [], []
    shape = waiting[0].image.shape
    room = min(max_images, count_together((shape[0], shape[1])))
    batch: list[Item] = []
    rest: list[Item] = []
    for item in waiting:
        fits = len(batch) < room and item.image.shape == shape
        (batch if fits else rest).append(item)
    return batch, rest


def count_together(size: tuple[int, int]) -> int:
    """Return how many images of a size may share a call."""
    return max(1, MAX_BATCH_PIXELS // (size[0] * size[1]))


def pad_size(count: int) -> int:
    """Return the size to which so many images are padded."""
    return next(size for size in BATCH_SIZES if size >= count)


def stack_images(batch: Sequence[Item], count: int) -> FloatImage:
    """Return the images of a micro-batch, (count, H, W, C), padded with zeros; a single one is not copied."""
    if count == 1:
        return np.ascontiguousarray(batch[0].image, np.float32)[None]
    images = np.zeros((count, *batch[0].image.shape), np.float32)
    for row, item in zip(images, batch, strict=False):
        row[...] = item.image
    return images


def stack_noise_levels(batch: Sequence[Item], count: int) -> NoiseLevels | None:
    """Return the noise levels of a micro-batch, padded with zeros to ``count``; None for a network that takes none."""
    levels = [item.noise_level for item in batch if item.noise_level is not None]
    return np.array(levels + [0.0] * (count - len(levels)), np.float32) if levels else None
