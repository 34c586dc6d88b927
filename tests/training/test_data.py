import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.drawing import draw_blobs
from training.data import CleanImages, load_clean_images
from training.errors import DataError


def load(source: Path) -> CleanImages:
    return load_clean_images(str(source), height=28, width=28, seed=0)


def save_images(folder: Path, count: int) -> None:
    for index, image in enumerate(draw_blobs(count)[..., 0]):
        Image.fromarray(np.rint(image * 255).astype(np.uint8)).save(folder / f"{index}.png")


def test_an_npz_is_named_by_its_file_and_keeps_its_test_images(blobs_npz: Path) -> None:
    images = load(blobs_npz)
    assert images.name == "blobs"
    assert [len(part) for part in (images.train, images.validation, images.test)] == [40, 4, 16]
    with np.load(blobs_npz) as arrays:
        assert np.array_equal(np.rint(images.test[..., 0] * 255), arrays["x_test"])


def test_images_are_float32_between_0_and_1(blobs_npz: Path) -> None:
    images = load(blobs_npz)
    for part in (images.train, images.validation, images.test):
        assert part.dtype == np.float32
        assert part.shape[1:] == (28, 28, 1)
        assert (part.min(), part.max()) == (0, 1)


def test_the_seed_decides_which_images_are_held_out(blobs_npz: Path) -> None:
    def hold_out(seed: int) -> bytes:
        return load_clean_images(str(blobs_npz), height=28, width=28, seed=seed).validation.tobytes()

    assert hold_out(1) == hold_out(1) != hold_out(2)


def test_a_folder_is_divided_into_three_parts_that_share_no_image(tmp_path: Path) -> None:
    save_images(tmp_path, 20)
    images = load(tmp_path)
    assert images.name == tmp_path.name
    assert [len(part) for part in (images.train, images.validation, images.test)] == [17, 1, 2]
    parts = np.concatenate([images.train, images.validation, images.test])
    assert len({image.tobytes() for image in parts}) == 20


def test_too_few_images_are_refused(tmp_path: Path) -> None:
    save_images(tmp_path, 9)
    with pytest.raises(DataError, match="9 images, at least 10"):
        load(tmp_path)


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(DataError, match=r"no images in it .*\.png"):
        load(tmp_path)


def test_a_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        load(tmp_path / "mnist.npz")


def test_a_file_that_is_no_npz_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mnist.npz"
    path.write_text("not a zip")
    with pytest.raises(DataError, match=r"not an \.npz with x_train and x_test"):
        load(path)


def test_an_npy_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", np.zeros((10, 28, 28)))
    with pytest.raises(DataError, match=r"not an \.npz with x_train and x_test"):
        load(tmp_path / "images.npy")


def test_an_npz_with_other_arrays_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", images=np.zeros((10, 28, 28)))
    with pytest.raises(DataError, match="x_train"):
        load(tmp_path / "other.npz")


def test_an_npz_with_floats_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "float.npz", x_train=np.zeros((10, 28, 28)), x_test=np.zeros((10, 28, 28)))
    with pytest.raises(DataError, match=r"x_train is float64 .* expected uint8"):
        load(tmp_path / "float.npz")


def test_an_npz_with_images_of_another_size_is_refused(tmp_path: Path) -> None:
    pixels = np.zeros((10, 32, 32), np.uint8)
    np.savez(tmp_path / "large.npz", x_train=pixels, x_test=pixels)
    with pytest.raises(DataError, match="32x32, the network takes 28x28"):
        load(tmp_path / "large.npz")


def test_without_a_network_the_error_says_what_to_do(tmp_path: Path) -> None:
    unreachable = dict.fromkeys(("HTTPS_PROXY", "https_proxy"), "http://127.0.0.1:9")
    result = subprocess.run(
        [sys.executable, "-m", "training", "train", "article", "--run-dir", tmp_path / "run"],
        env=os.environ | unreachable | {"KERAS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "error: MNIST could not be downloaded: pass --data PATH" in result.stderr
    assert "Traceback" not in result.stderr


def test_labels_follow_their_images(tmp_path: Path) -> None:
    pixels = np.broadcast_to(np.arange(40, dtype=np.uint8)[:, None, None], (40, 28, 28))
    numbers = np.arange(40, dtype=np.uint8)
    np.savez(tmp_path / "n.npz", x_train=pixels[:30], y_train=numbers[:30], x_test=pixels[30:], y_test=numbers[30:])
    images = load(tmp_path / "n.npz")
    assert images.labels is not None
    for part, labels in zip((images.train, images.validation, images.test), vars(images.labels).values(), strict=True):
        np.testing.assert_array_equal(np.rint(part[:, 0, 0, 0] * 255), labels)


def test_there_need_be_no_labels(blobs_npz: Path, tmp_path: Path) -> None:
    save_images(tmp_path, 10)
    assert load(blobs_npz).labels is None
    assert load(tmp_path).labels is None
