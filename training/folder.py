"""The user's own clean images from a folder: gray, upright, and made to fit where the network has a fixed size."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from training.errors import DataError
from training.noise import Images

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".pgm", ".ppm")


def load_folder(folder: Path, *, height: int, width: int) -> Images:
    """Return every image in `folder` and below, by path, float32 (N, height, width, 1) in [0, 1].

    Each is rotated as its EXIF data says, turned to gray (BT.601 luma, on white where it is transparent), cropped at
    the centre to the aspect ratio height:width and resized with antialiasing. An image with a light border (median
    above 0.5) is inverted, as the service does: networks of fixed size see light ink on a dark ground.

    Raises:
        DataError: there is no image, or one cannot be read.
    """
    fitted = [read_gray(path, height=height, width=width) for path in find_images(folder)]
    return np.stack([_make_light_on_dark(gray) for gray in fitted])[..., None]


def find_images(folder: Path) -> list[Path]:
    """Return every image in `folder` and below, by path.

    Raises:
        DataError: there is none.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise DataError(f"{folder}: no images in it (looked for {', '.join(SUFFIXES)})")
    return paths


def read_gray(path: Path, *, height: int, width: int) -> Images:
    """Return one image, float32 (height, width) in [0, 1], cropped and resized.

    Raises:
        DataError: it cannot be read, the text names it.
    """
    gray, peak = open_gray(path)
    fitted = ImageOps.fit(gray, (width, height), Image.Resampling.LANCZOS)
    return (np.asarray(fitted) / peak).clip(0, 1).astype(np.float32)


def open_gray(path: Path) -> tuple[Image.Image, float]:
    """Return one image upright and whole, in Pillow's mode F, and the value of white in it.

    Raises:
        DataError: it cannot be read, the text names it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the user's own files are trusted
            with Image.open(path) as image:
                upright = ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: not a readable image ({error})") from error
    return _to_gray(upright)


def _to_gray(image: Image.Image) -> tuple[Image.Image, float]:
    """Return the image in Pillow's mode F and the value of white in it; transparent parts are white."""
    if image.mode == "F":
        return image, 1.0
    if image.mode.startswith("I"):  # 16 bits, which Pillow's convert("L") would cut at 255
        return image.convert("F"), 65535.0
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return image.convert("L").convert("F"), 255.0


def _make_light_on_dark(gray: Images) -> Images:
    """Return float32 (H, W) inverted where the median of its border is above 0.5."""
    border = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    return 1 - gray if np.median(border) > 0.5 else gray
