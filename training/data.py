"""Clean images: MNIST, a file of its layout, or a folder of the user's own."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import keras
import numpy as np
from numpy.typing import NDArray

from training.errors import DataError
from training.folder import load_folder
from training.noise import Images

MNIST_TEST_SHA256 = "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161"
MIN_IMAGES = 10
MAX_VALIDATION_IMAGES = 5000

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class CleanImages:
    """Float32 NHWC in [0, 1]. `name` goes into metadata; weights are selected on `validation`, reported on `test`."""

    name: str
    train: Images
    validation: Images
    test: Images


def load_clean_images(source: str, *, height: int, width: int, seed: int) -> CleanImages:
    """Load `source`: "mnist", the path of an .npz with x_train and x_test, or a folder of images.

    A tenth of the training images, at most 5,000, is held out for validation; of a folder, which has no test images
    of its own, a tenth for test before that.

    Raises:
        DataError: the images are missing, unreadable, of another size, or too few.
    """
    rng = np.random.default_rng(seed)
    if Path(source).is_dir():
        images = rng.permutation(load_folder(Path(source), height=height, width=width))
        test, rest = np.split(images, [len(images) // 10])
        name = Path(source).resolve().name
    else:
        train_pixels, test_pixels = _download_mnist() if source == "mnist" else _read_npz(Path(source))
        rest, test = rng.permutation(_to_images(train_pixels)), _to_images(test_pixels)
        name = "MNIST" if hashlib.sha256(test_pixels.tobytes()).hexdigest() == MNIST_TEST_SHA256 else Path(source).stem
    if rest.shape[1:3] != (height, width):
        raise DataError(f"{source}: images of {rest.shape[1]}x{rest.shape[2]}, the network takes {height}x{width}")
    if (count := len(rest) + len(test)) < MIN_IMAGES:
        raise DataError(f"{source}: {count} images, at least {MIN_IMAGES} are needed")
    validation, train = np.split(rest, [max(1, min(len(rest) // 10, MAX_VALIDATION_IMAGES))])
    return CleanImages(name, train, validation, test)


def _download_mnist() -> tuple[Pixels, Pixels]:
    """Return MNIST's training and test images, uint8 NHW, downloaded once by Keras.

    Raises:
        DataError: there is no network.
    """
    try:
        (train, _), (test, _) = keras.datasets.mnist.load_data()
    except Exception as error:  # Keras raises a bare Exception for a failed download
        raise DataError(f"MNIST could not be downloaded: pass --data PATH of an mnist.npz ({error})") from error
    return train, test


def _read_npz(path: Path) -> tuple[Pixels, Pixels]:
    """Return x_train and x_test, uint8 NHW, of a file laid out like Keras' mnist.npz.

    Raises:
        DataError: there is no such file, or it has another layout.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            train, test = arrays["x_train"], arrays["x_test"]
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file or folder; --data takes mnist, an .npz file or a folder") from error
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise DataError(f"{path}: not an .npz with x_train and x_test like mnist.npz ({error})") from error
    for name, array in (("x_train", train), ("x_test", test)):
        if array.ndim != 3 or array.dtype != np.uint8 or not len(array):
            raise DataError(f"{path}: {name} is {array.dtype} {array.shape}, expected uint8 (N, H, W)")
    return train, test


def _to_images(pixels: Pixels) -> Images:
    """Return uint8 NHW as float32 NHWC in [0, 1]."""
    return pixels[..., None].astype(np.float32) / np.float32(255)
