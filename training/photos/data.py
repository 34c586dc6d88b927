"""Photographs of many sizes, or noisy/clean pairs of them, from a folder."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.errors import DataError
from training.images.files import Gray, find_images, open_gray
from training.images.pairs import holds_pairs, load_pairs

Photo = NDArray[np.uint8]

MIN_PHOTOS = 2


@dataclass(frozen=True)
class CleanPhotos:
    """Gray photographs, uint8, (H, W) each, or pairs (H, W, 2), clean and noisy.

    ``name`` goes into metadata; weights are selected on ``validation``.
    """

    name: str
    train: tuple[Photo, ...]
    validation: tuple[Photo, ...]

    @property
    def are_pairs(self) -> bool:
        return self.train[0].ndim == 3


def load_photos(source: str, *, min_side_px: int, seed: int) -> CleanPhotos:
    """Load the images, or pairs, in the folder ``source``; a twentieth, at least one, is held out for validation.

    Raises:
        DataError: it is not a folder or has too few images, or one is unreadable or smaller than ``min_side_px``, or
            pairs do not match.
    """
    folder = Path(source)
    if not folder.is_dir():
        raise DataError(f"{source}: no such folder; this preset is trained on a folder of photographs, --data names it")

    def convert(path: Path, gray: Gray) -> Photo:
        if min(gray.image.size) < min_side_px:
            size = f"{gray.image.width}x{gray.image.height}"
            raise DataError(f"{path}: {size} pixels, at least {min_side_px} in each direction are needed")
        return _round(gray)

    if holds_pairs(folder):
        photos = load_pairs(folder, convert)
    else:
        photos = [convert(path, open_gray(path)) for path in find_images(folder)]
    if len(photos) < MIN_PHOTOS:
        raise DataError(f"{source}: {len(photos)} photographs, at least {MIN_PHOTOS} are needed")
    held_out = max(1, len(photos) // 20)
    shuffled = [photos[index] for index in np.random.default_rng(seed).permutation(len(photos))]
    return CleanPhotos(folder.resolve().name, train=tuple(shuffled[held_out:]), validation=tuple(shuffled[:held_out]))


def read_photo(path: Path) -> Photo:
    """Return one upright photograph, uint8 (H, W) of BT.601 luma, or raise DataError."""
    return _round(open_gray(path))


def _round(gray: Gray) -> Photo:
    return np.rint(np.asarray(gray.image) * (255 / gray.peak)).clip(0, 255).astype(np.uint8)
