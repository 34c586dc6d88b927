"""Images that stand in for digits: bright discs on black."""

from pathlib import Path

import numpy as np
from PIL import Image

from training.images.files import Pixels, to_8_bit
from training.images.noise import Images


def draw_blobs(count: int, *, size: int = 28) -> Images:
    """Return `count` different discs, float32 (count, size, size, 1) in [0, 1]."""
    rng = np.random.default_rng(5)
    row, column = rng.uniform(size / 4, size * 3 / 4, (2, count, 1, 1))
    radius = rng.uniform(size / 8, size / 4, (count, 1, 1))
    y, x = np.mgrid[:size, :size]
    discs = np.clip(radius + 0.5 - np.hypot(y - row, x - column), 0, 1)
    return np.asarray(discs[..., None], np.float32)


def fill_channels(gray: Pixels) -> Pixels:
    """Return (H, W, 3) with the levels (H, W) in every channel."""
    return np.repeat(gray[..., None], 3, axis=-1)


def draw_photo(height: int, width: int, *, seed: int = 0) -> Pixels:
    """Return a photograph's stand-in, uint8 (height, width, 3), in which no two places are alike."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def join_pair(clean: Pixels, noisy: Pixels) -> Pixels:
    """Return a pair (H, W, 6)."""
    return np.concatenate([clean, noisy], axis=-1)


def write_pairs(folder: Path, clean: Images, noisy: Images) -> None:
    """Write noisy/N.png and clean/N.png of images NHWC in [0, 1]."""
    for kind, images in (("clean", clean), ("noisy", noisy)):
        write_images(folder / kind, images)


def write_images(folder: Path, images: Images) -> None:
    """Write N.png of images NHWC in [0, 1], gray for one channel and RGB for three."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, pixels in enumerate(to_8_bit(images.clip(0, 1))):
        Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(folder / f"{index}.png")
