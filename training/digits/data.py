"""Images of one size, clean or as noisy/clean pairs: from MNIST, a file like it, or the user's own folder."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from training.errors import DataError
from training.images.files import Pixels, load_images, to_gray, to_images
from training.images.noise import Images
from training.images.pairs import holds_pairs, load_pairs

MNIST_TEST_SHA256 = "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161"
MIN_IMAGES = 10
MAX_VALIDATION_IMAGES = 5000

Arrays = Mapping[str, Pixels]


@dataclass(frozen=True)
class Labels:
    """The digit in each image, uint8, in the order of the images."""

    train: NDArray[np.uint8]
    validation: NDArray[np.uint8]
    test: NDArray[np.uint8]


@dataclass(frozen=True)
class CleanImages:
    """Float32 NHWC images in [0, 1]: weights are selected on ``validation`` and measured on ``test``.

    The only channel is clean; pairs have two, clean and noisy. ``labels`` is None if the source has none, and ``name``
    goes into metadata.
    """

    name: str
    train: Images
    validation: Images
    test: Images
    labels: Labels | None = None

    @property
    def are_pairs(self) -> bool:
        return bool(self.train.shape[-1] == 2)

    @property
    def are_gray(self) -> bool:
        return True


def load_clean_images(source: str, *, height: int = 28, width: int = 28, seed: int = 0) -> CleanImages:
    """Load ``source``: "mnist", an .npz file with x_train and x_test, or a folder of images or pairs.

    A tenth of the training images, at most 5,000, is held out for validation. A folder, which has no test images of its
    own, first loses a tenth for test.

    Raises:
        DataError: the images are missing, unreadable, of another size, or too few.
    """
    rng = np.random.default_rng(seed)
    arrays: Arrays = {}
    if Path(source).is_dir():
        images = load_folder(Path(source), height=height, width=width)
        order = rng.permutation(len(images))
        test, rest = np.split(images[order], [len(images) // 10])
        name = Path(source).resolve().name
    else:
        arrays = _download_mnist() if source == "mnist" else _read_npz(Path(source))
        order = rng.permutation(len(arrays["x_train"]))
        rest, test = to_images(arrays["x_train"])[order], to_images(arrays["x_test"])
        is_mnist = hashlib.sha256(arrays["x_test"].tobytes()).hexdigest() == MNIST_TEST_SHA256
        name = "MNIST" if is_mnist else Path(source).stem
    if rest.shape[1:3] != (height, width):
        raise DataError(f"{source}: images of {rest.shape[1]}x{rest.shape[2]}, the network takes {height}x{width}")
    if (count := len(rest) + len(test)) < MIN_IMAGES:
        raise DataError(f"{source}: {count} images, at least {MIN_IMAGES} are needed")
    held_out = max(1, min(len(rest) // 10, MAX_VALIDATION_IMAGES))
    validation, train = np.split(rest, [held_out])
    return CleanImages(name, train, validation, test, _split_labels(arrays, order, held_out))


def _split_labels(arrays: Arrays, order: NDArray[np.int64], held_out: int) -> Labels | None:
    if "y_train" not in arrays or "y_test" not in arrays:
        return None
    validation, train = np.split(arrays["y_train"][order], [held_out])
    return Labels(train, validation, arrays["y_test"])


def _download_mnist() -> Arrays:
    """Return MNIST's images, uint8 NHW, and labels, which Keras downloads once; DataError without a network."""
    try:
        (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    except Exception as error:  # Keras raises a bare Exception for a failed download
        raise DataError(f"MNIST could not be downloaded: pass --data PATH of an mnist.npz ({error})") from error
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


def _read_npz(path: Path) -> Arrays:
    """Return x_train and x_test, uint8 NHW, and any labels from a file like Keras' mnist.npz, or raise DataError."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in ("x_train", "x_test")}
            arrays |= {name: archive[name] for name in ("y_train", "y_test") if name in archive}
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file or folder; --data takes mnist, an .npz file or a folder") from error
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise DataError(f"{path}: not an .npz with x_train and x_test like mnist.npz ({error})") from error
    for name in ("x_train", "x_test"):
        array = arrays[name]
        if array.ndim != 3 or array.dtype != np.uint8 or not len(array):
            raise DataError(f"{path}: {name} is {array.dtype} {array.shape}, expected uint8 (N, H, W)")
    return arrays


def load_folder(folder: Path, *, height: int, width: int) -> Images:
    """Return the images in ``folder`` and its subfolders, by path, float32 (N, height, width, 1) in [0, 1].

    Each is rotated according to its EXIF data, converted to gray (BT.601 luma, on white if it is transparent), cropped
    centrally to the aspect ratio and resized with antialiasing. As in the service, images with a light border (median
    above 0.5) are inverted: networks of fixed size expect light ink on a dark ground.

    Pairs have both images on the last axis, clean first, treated alike; the clean one decides on inversion.

    Raises:
        DataError: there is no image, or one is unreadable, or pairs do not match.
    """

    def fit(_path: Path, image: Image.Image) -> Images:
        gray = to_gray(image)
        fitted = ImageOps.fit(gray.image, (width, height), Image.Resampling.LANCZOS)
        return (np.asarray(fitted)[..., None] / gray.peak).clip(0, 1).astype(np.float32)

    images = load_pairs(folder, fit) if holds_pairs(folder) else load_images(folder, fit)
    return np.stack([_make_light_on_dark(image) for image in images])


def _make_light_on_dark(image: Images) -> Images:
    gray = image[..., 0]
    border = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    return 1 - image if np.median(border) > 0.5 else image
