import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.drawing import draw_blobs
from training.errors import DataError
from training.folder import load_folder
from training.noise import Images

RAMP = np.tile(np.linspace(0, 0.4, 28), (28, 1))


def load_one(folder: Path) -> Images:
    images = load_folder(folder, height=28, width=28)
    assert len(images) == 1
    return images[0, ..., 0]


def test_an_image_of_the_right_size_keeps_its_pixels(tmp_path: Path) -> None:
    pixels = np.rint(RAMP * 255).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "ramp.png")
    assert np.array_equal(np.rint(load_one(tmp_path) * 255), pixels)


def test_16_bit_gray_keeps_its_levels(tmp_path: Path) -> None:
    Image.fromarray(np.rint(RAMP * 65535).astype(np.uint16)).save(tmp_path / "ramp.png")
    np.testing.assert_allclose(load_one(tmp_path), RAMP, atol=1e-4)


def test_float_samples_are_between_0_and_1_already(tmp_path: Path) -> None:
    Image.fromarray(RAMP.astype(np.float32)).save(tmp_path / "ramp.tif")
    np.testing.assert_allclose(load_one(tmp_path), RAMP, atol=1e-6)


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


def test_colour_becomes_luma(tmp_path: Path) -> None:
    Image.new("RGB", (28, 28), (255, 0, 0)).save(tmp_path / "red.png")
    np.testing.assert_allclose(load_one(tmp_path), 0.299, atol=1 / 255)


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # turned by 180 degrees
    Image.fromarray(np.rint(RAMP * 255).astype(np.uint8)).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_allclose(load_one(tmp_path), RAMP[::-1, ::-1], atol=1 / 255)


def test_a_large_scan_is_read_without_a_warning(tmp_path: Path) -> None:
    Image.new("1", (10_000, 9_500)).save(tmp_path / "scan.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_one(tmp_path).max() == 0


def test_subfolders_count_and_other_files_do_not(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    Image.new("L", (28, 28)).save(tmp_path / "a.png")
    Image.new("L", (30, 40)).save(tmp_path / "more" / "b.JPG")
    (tmp_path / "README.md").write_text("not an image")
    assert load_folder(tmp_path, height=28, width=28).shape == (2, 28, 28, 1)


@pytest.mark.parametrize("content", [b"", b"text named .png"])
def test_an_unreadable_image_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.png").write_bytes(content)
    with pytest.raises(DataError, match=r"broken\.png: not a readable image"):
        load_one(tmp_path)


def test_a_truncated_image_is_named(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    Image.fromarray(noise).save(tmp_path / "cut.jpg")
    whole = (tmp_path / "cut.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"cut\.jpg: not a readable image"):
        load_one(tmp_path)
