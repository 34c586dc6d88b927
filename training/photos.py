"""Clean photographs of many sizes, from a folder."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.errors import DataError
from training.folder import find_images, open_gray

Photo = NDArray[np.uint8]

MIN_PHOTOS = 2


@dataclass(frozen=True)
class CleanPhotos:
    """Gray photographs, uint8 (H, W) each. `name` goes into metadata; weights are selected on `validation`."""

    name: str
    train: tuple[Photo, ...]
    validation: tuple[Photo, ...]


def load_photos(source: str, *, min_side_px: int, seed: int) -> CleanPhotos:
    """Load every image in the folder `source` and below; a twentieth, at least one, is held out for validation.

    Raises:
        DataError: it is no folder, or has too few images, or one is unreadable or smaller than `min_side_px`.
    """
    folder = Path(source)
    if not folder.is_dir():
        raise DataError(f"{source}: no such folder; this preset is trained on a folder of photographs, --data names it")
    paths = find_images(folder)
    if len(paths) < MIN_PHOTOS:
        raise DataError(f"{source}: {len(paths)} photographs, at least {MIN_PHOTOS} are needed")
    order = np.random.default_rng(seed).permutation(len(paths))
    photos = [read_photo(paths[index], min_side_px=min_side_px) for index in order]
    held_out = max(1, len(photos) // 20)
    return CleanPhotos(folder.resolve().name, train=tuple(photos[held_out:]), validation=tuple(photos[:held_out]))


def read_photo(path: Path, *, min_side_px: int = 1) -> Photo:
    """Return one photograph, uint8 (H, W): BT.601 luma, upright.

    Raises:
        DataError: it is unreadable, or smaller than `min_side_px` in a direction.
    """
    gray, peak = open_gray(path)
    if min(gray.size) < min_side_px:
        raise DataError(
            f"{path}: {gray.width}x{gray.height} pixels, at least {min_side_px} in each direction are needed"
        )
    return np.rint(np.asarray(gray) * (255 / peak)).clip(0, 255).astype(np.uint8)
