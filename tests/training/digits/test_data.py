import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.drawing import draw_blobs, write_pairs
from training.digits.data import CleanImages, load_clean_images, load_folder
from training.errors import DataError
from training.images.noise import Images, RecordedNoise, pair_up

RAMP = np.tile(np.linspace(0, 0.4, 28), (28, 1))


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


def load_one(folder: Path) -> Images:
    images = load_folder(folder, height=28, width=28)
    assert len(images) == 1
    return images[0, ..., 0]


def test_an_image_of_the_right_size_keeps_its_pixels(tmp_path: Path) -> None:
    pixels = np.rint(RAMP * 255).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "ramp.png")
    assert np.array_equal(np.rint(load_one(tmp_path) * 255), pixels)


def test_a_wide_image_loses_its_sides(tmp_path: Path) -> None:
    wide = np.zeros((56, 112), np.uint8)
    wide[:, 28:84] = np.linspace(0, 100, 56)
    Image.fromarray(wide).save(tmp_path / "wide.png")
    image = load_one(tmp_path)
    np.testing.assert_allclose(image[14, 1:-1] * 255, np.linspace(1, 99, 28)[1:-1], atol=3)


def test_dark_ink_on_light_paper_is_inverted(tmp_path: Path) -> None:
    (disc,) = draw_blobs(1)[..., 0]
    Image.fromarray(np.rint((1 - disc) * 255).astype(np.uint8)).save(tmp_path / "ink.png")
    np.testing.assert_allclose(load_one(tmp_path), disc, atol=1 / 255)


def test_ink_on_a_transparent_ground_is_ink_on_paper(tmp_path: Path) -> None:
    (disc,) = draw_blobs(1)[..., 0]
    layers = np.zeros((28, 28, 4), np.uint8)
    layers[..., 3] = np.rint(disc * 255)
    Image.fromarray(layers).save(tmp_path / "ink.png")
    np.testing.assert_allclose(load_one(tmp_path), disc, atol=2 / 255)


def test_images_of_many_sizes_are_made_one(tmp_path: Path) -> None:
    Image.new("L", (28, 28)).save(tmp_path / "a.png")
    Image.new("L", (30, 40)).save(tmp_path / "b.png")
    assert load_folder(tmp_path, height=28, width=28).shape == (2, 28, 28, 1)


def save_gray(path: Path, *, gray: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (28, 28), gray).save(path)


def test_the_clean_image_decides_whether_both_are_inverted(tmp_path: Path) -> None:
    save_gray(tmp_path / "clean" / "dark.png", gray=100)
    save_gray(tmp_path / "noisy" / "dark.png", gray=200)
    save_gray(tmp_path / "clean" / "light.png", gray=200)
    save_gray(tmp_path / "noisy" / "light.png", gray=100)
    dark, light = load_folder(tmp_path, height=28, width=28)[:, 0, 0] * 255
    np.testing.assert_allclose([dark, light], [[100, 200], [55, 155]], atol=1e-4)


def test_pairs_are_cropped_and_scaled_alike(tmp_path: Path) -> None:
    scene = np.rint(np.mgrid[:60, :100][1] * 1.2).astype(np.uint8)
    for kind in ("clean", "noisy"):
        (tmp_path / kind).mkdir()
        Image.fromarray(scene).save(tmp_path / kind / "a.png")
    (pair,) = load_folder(tmp_path, height=28, width=28)
    np.testing.assert_array_equal(pair[..., 0], pair[..., 1])


def test_pairs_stay_together_when_they_are_divided(tmp_path: Path) -> None:
    clean = draw_blobs(20)
    write_pairs(tmp_path, clean, clean * np.float32(0.5))
    images = load_clean_images(str(tmp_path), height=28, width=28, seed=0)
    assert images.are_pairs
    assert [len(part) for part in (images.train, images.validation, images.test)] == [17, 1, 2]
    for part in (images.train, images.validation, images.test):
        noisy, paired = pair_up(part, RecordedNoise(), np.random.default_rng(0))
        np.testing.assert_allclose(noisy, paired / 2, atol=1 / 255)
