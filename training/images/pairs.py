"""Noisy/clean pairs in a folder: noisy/NAME.png beside clean/NAME.png."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.errors import DataError
from training.images.files import Convert, find_images, open_upright

CLEAN, NOISY = "clean", "noisy"


def holds_pairs(folder: Path) -> bool:
    """Return whether ``folder`` holds pairs rather than clean images, or raise DataError if it only seems to."""
    if not folder.is_dir():
        return False
    names = {path.name for path in folder.iterdir() if path.is_dir()}
    if {CLEAN, NOISY} <= names:
        return True
    shape = f"pairs are {NOISY}/NAME.png and {CLEAN}/NAME.png in one folder"
    lowered = {name.lower() for name in names}
    if lowered & {CLEAN, NOISY}:
        raise DataError(f"{folder}: has {', '.join(f'{name}/' for name in sorted(names))}; {shape}")
    if folder.name in (CLEAN, NOISY) and all((folder.parent / name).is_dir() for name in (CLEAN, NOISY)):
        raise DataError(f"{folder}: is one half of pairs; --data takes {folder.parent}")
    for path in sorted(folder.rglob(NOISY)):
        if (path.parent / CLEAN).is_dir():
            raise DataError(f"{folder}: there are pairs in {path.parent}; --data takes the folder itself")
    return False


def load_pairs(folder: Path, convert: Convert) -> list[NDArray[Any]]:
    """Return every pair in ``folder`` and its subfolders, by name: (H, W, 2C), the channels clean and then noisy.

    The images of a pair have the same path below clean/ and noisy/, apart from the suffix, and the same size.

    Raises:
        DataError: a partner is missing or ambiguous, a file is unreadable, sizes differ, or ``convert`` raises; the
            text lists the files.
    """
    clean, noisy = _find_by_name(folder / CLEAN), _find_by_name(folder / NOISY)
    pairs, problems = [], []
    for name in sorted({*clean, *noisy}):
        try:
            paths = _choose(clean[name], name, folder / CLEAN), _choose(noisy[name], name, folder / NOISY)
            pairs.append(_load_pair(*paths, convert))
        except DataError as error:
            problems.append(str(error))
    if problems:
        raise DataError.of_files("these pairs do not match:", problems)
    return pairs


def _find_by_name(folder: Path) -> defaultdict[str, list[Path]]:
    """Return the images by their path in ``folder`` without suffix."""
    paths = defaultdict(list)
    for path in find_images(folder):
        paths[path.relative_to(folder).with_suffix("").as_posix()].append(path)
    return paths


def _choose(paths: list[Path], name: str, folder: Path) -> Path:
    match paths:
        case [path]:
            return path
        case []:
            raise DataError(f"{folder / name}.*: is missing; its partner is there")
        case _:
            raise DataError(f"{folder / name}.*: there are several: {', '.join(path.suffix for path in paths)}")


def _load_pair(clean: Path, noisy: Path, convert: Convert) -> NDArray[Any]:
    images = {path: open_upright(path) for path in (clean, noisy)}
    (width, height), (noisy_width, noisy_height) = (image.size for image in images.values())
    if (width, height) != (noisy_width, noisy_height):
        raise DataError(f"{noisy}: {noisy_width}x{noisy_height} pixels, but {clean} has {width}x{height}")
    return np.concatenate([convert(path, image) for path, image in images.items()], axis=-1)
