"""Image files as upright pixels, gray or in colour, and 8-bit levels as numbers in [0, 1]."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from training.errors import DataError
from training.images.noise import Images

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".pgm", ".ppm")

Pixels = NDArray[np.uint8]
Convert = Callable[[Path, Image.Image], NDArray[Any]]
"""Returns pixels (H, W, C) for a path and its upright image, or raises DataError."""


class Gray(NamedTuple):
    """An upright image in Pillow's mode F and its value of white."""

    image: Image.Image
    peak: float


def find_images(folder: Path) -> list[Path]:
    """Return all but the hidden images in ``folder`` and its subfolders, by path; DataError if there are none."""
    paths = sorted(path for path in folder.rglob("[!.]*") if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise DataError(f"{folder}: no images in it (looked for {', '.join(SUFFIXES)})")
    return paths


def load_images(folder: Path, convert: Convert) -> list[NDArray[Any]]:
    """Return every image in ``folder`` and its subfolders, by path.

    Raises:
        DataError: there is none, or some are unreadable or ``convert`` raises for them; the text lists the files.
    """
    images, problems = [], []
    for path in find_images(folder):
        try:
            images.append(convert(path, open_upright(path)))
        except DataError as error:
            problems.append(str(error))
    if problems:
        raise DataError.of_files(f"{folder}: {len(problems)} of its images cannot be used:", problems)
    return images


def open_upright(path: Path) -> Image.Image:
    """Read one image and turn it upright, or raise DataError with its path."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the user's own files are trusted
            with Image.open(path) as image:
                return ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: not a readable image ({error})") from error


def to_gray(image: Image.Image) -> Gray:
    """Convert to gray; transparent parts become white."""
    if image.mode == "F":
        return Gray(image, 1.0)
    if image.mode.startswith("I"):  # 16 bits, which convert("L") would cut at 255
        return Gray(image.convert("F"), 65535.0)
    return Gray(_flatten(image).convert("L").convert("F"), 255.0)


def to_rgb(image: Image.Image) -> Pixels:
    """Return 8-bit RGB (H, W, 3); gray fills the channels, transparent parts become white."""
    if image.mode == "F" or image.mode.startswith("I"):
        gray = to_gray(image)
        levels = np.rint(np.asarray(gray.image) * (255 / gray.peak)).clip(0, 255).astype(np.uint8)
        return np.repeat(levels[..., None], 3, axis=-1)
    return np.asarray(_flatten(image).convert("RGB"))


def _flatten(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image
    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)


def to_images(pixels: Pixels) -> Images:
    """Return uint8 (N, H, W), or NHWC, as float32 NHWC in [0, 1]."""
    return from_8_bit(np.reshape(pixels, (*pixels.shape[:3], -1)))


def to_8_bit(image: Images) -> Pixels:
    return np.rint(image * 255).astype(np.uint8)


def from_8_bit(levels: Pixels) -> Images:
    return np.asarray(levels / np.float32(255), np.float32)
