"""The user's own images from a folder, made to fit where the network has a fixed size."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from training.images.files import Gray, find_images, open_gray
from training.images.noise import Images
from training.images.pairs import holds_pairs, load_pairs


def load_folder(folder: Path, *, height: int, width: int) -> Images:
    """Return every image in `folder` and below, by path, float32 (N, height, width, 1) in [0, 1].

    Each is rotated as its EXIF data says, turned to gray (BT.601 luma, on white where it is transparent), cropped at
    the centre to the aspect ratio height:width and resized with antialiasing. An image with a light border (median
    above 0.5) is inverted, as the service does: networks of fixed size see light ink on a dark ground.

    Of noisy/clean pairs the last axis has both, clean first, treated alike; the clean one decides about inversion.

    Raises:
        DataError: there is no image, or one cannot be read, or pairs do not match.
    """

    def fit(_path: Path, gray: Gray) -> Images:
        fitted = ImageOps.fit(gray.image, (width, height), Image.Resampling.LANCZOS)
        return (np.asarray(fitted) / gray.peak).clip(0, 1).astype(np.float32)

    if holds_pairs(folder):
        images = load_pairs(folder, fit)
    else:
        images = [fit(path, open_gray(path))[..., None] for path in find_images(folder)]
    return np.stack([_make_light_on_dark(image) for image in images])


def _make_light_on_dark(image: Images) -> Images:
    """Return float32 HWC inverted where the median of the first channel's border is above 0.5."""
    gray = image[..., 0]
    border = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    return 1 - image if np.median(border) > 0.5 else image
