"""Photographs of many sizes, or noisy/clean pairs of them, from folders."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.errors import DataError
from training.images.files import load_images, open_upright, to_rgb
from training.images.luma import is_in_colour
from training.images.pairs import holds_pairs, load_pairs

Photo = NDArray[np.uint8]

MIN_PHOTOS = 2
SOURCES_NAME = "sources.csv"


@dataclass(frozen=True)
class CleanPhotos:
    """Photographs, uint8 sRGB, (H, W, 3) each, or pairs (H, W, 6), clean and noisy.

    ``name`` and the number of images by licence, where a ``sources.csv`` beside them tells it in a column ``licence``,
    go into metadata; weights are selected on ``validation``.
    """

    name: str
    licences: Mapping[str, int]
    train: tuple[Photo, ...]
    validation: tuple[Photo, ...]

    @property
    def are_pairs(self) -> bool:
        return bool(self.train[0].shape[-1] == 6)

    @property
    def are_gray(self) -> bool:
        return all(_is_gray(photo) for photo in (*self.train, *self.validation))


def load_photos(sources: Sequence[str], *, min_side_px: int, seed: int) -> CleanPhotos:
    """Load the images, or the pairs, of folders; a twentieth of each, at least one, is held out for validation.

    Raises:
        DataError: one is not a folder or has too few images, or an image is unreadable or smaller than ``min_side_px``,
            or pairs do not match, or some folders hold pairs and some do not, or a list of sources is unreadable.
    """
    train, validation = [], []
    folders = [Path(source) for source in sources]
    for folder in folders:
        photos = _load_folder(folder, min_side_px=min_side_px)
        held_out = max(1, len(photos) // 20)
        shuffled = [photos[index] for index in np.random.default_rng(seed).permutation(len(photos))]
        train += shuffled[held_out:]
        validation += shuffled[:held_out]
    if len({photo.shape[-1] for photo in train}) > 1:
        raise DataError(f"{', '.join(sources)}: some hold pairs and some clean images alone; --data takes one kind")
    name = "+".join(folder.resolve().name for folder in folders)
    return CleanPhotos(name, _count_licences(folders), tuple(train), tuple(validation))


def _is_gray(photo: Photo) -> bool:
    """Return whether red, green and blue are equal everywhere, of a pair in both images."""
    return not any(is_in_colour(image) for image in np.split(photo, photo.shape[-1] // 3, axis=-1))


def read_photo(path: Path) -> Photo:
    """Return one upright photograph, uint8 (H, W, 3), or raise DataError."""
    return to_rgb(open_upright(path))


def _count_licences(folders: Sequence[Path]) -> Counter[str]:
    """Return how many images have which licence; folders without a list of sources count nothing."""
    licences: Counter[str] = Counter()
    for folder in folders:
        if (path := folder / SOURCES_NAME).is_file():
            try:
                with path.open(newline="", encoding="utf-8") as lines:
                    licences.update(row["licence"] for row in csv.DictReader(lines) if row.get("licence"))
            except (UnicodeDecodeError, csv.Error) as error:
                raise DataError(f"{path}: is no CSV file in UTF-8: {error}") from error
    return licences


def _load_folder(folder: Path, *, min_side_px: int) -> list[Photo]:
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; this preset is trained on a folder of photographs, --data names it")

    def convert(path: Path, image: Image.Image) -> Photo:
        if min(image.size) < min_side_px:
            size = f"{image.width}x{image.height}"
            raise DataError(f"{path}: {size} pixels, at least {min_side_px} in each direction are needed")
        return to_rgb(image)

    photos = load_pairs(folder, convert) if holds_pairs(folder) else load_images(folder, convert)
    if len(photos) < MIN_PHOTOS:
        raise DataError(f"{folder}: {len(photos)} photographs, at least {MIN_PHOTOS} are needed")
    return photos
