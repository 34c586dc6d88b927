import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.drawing import draw_blobs
from training.errors import DataError
from training.images.files import find_images, from_8_bit, open_upright, to_8_bit, to_gray, to_images, to_rgb
from training.images.noise import Images

RAMP = np.tile(np.linspace(0, 0.4, 28), (28, 1))


def read(path: Path) -> Images:
    gray = to_gray(open_upright(path))
    return np.asarray(gray.image, np.float32) / np.float32(gray.peak)


def test_16_bit_gray_keeps_its_levels(tmp_path: Path) -> None:
    Image.fromarray(np.rint(RAMP * 65535).astype(np.uint16)).save(tmp_path / "ramp.png")
    np.testing.assert_allclose(read(tmp_path / "ramp.png"), RAMP, atol=1e-5)


def test_float_samples_are_between_0_and_1_already(tmp_path: Path) -> None:
    Image.fromarray(RAMP.astype(np.float32)).save(tmp_path / "ramp.tif")
    np.testing.assert_allclose(read(tmp_path / "ramp.tif"), RAMP, atol=1e-6)


def test_a_transparent_ground_is_white(tmp_path: Path) -> None:
    (disc,) = draw_blobs(1)[..., 0]
    layers = np.zeros((28, 28, 4), np.uint8)
    layers[..., 3] = to_8_bit(disc)
    Image.fromarray(layers).save(tmp_path / "ink.png")
    np.testing.assert_allclose(read(tmp_path / "ink.png"), 1 - disc, atol=2 / 255)


def test_colour_becomes_luma(tmp_path: Path) -> None:
    Image.new("RGB", (28, 28), (255, 0, 0)).save(tmp_path / "red.png")
    np.testing.assert_allclose(read(tmp_path / "red.png"), 0.299, atol=1 / 255)


def test_colour_stays_colour_on_request(tmp_path: Path) -> None:
    Image.new("RGB", (5, 4), (255, 7, 0)).save(tmp_path / "red.png")
    pixels = to_rgb(open_upright(tmp_path / "red.png"))
    assert pixels.shape == (4, 5, 3)
    assert pixels.dtype == np.uint8
    assert (pixels == [255, 7, 0]).all()


@pytest.mark.parametrize("pixels", [np.uint8(77), np.uint16(257 * 77 + 100), np.float32(0.303)])
def test_gray_of_any_depth_fills_the_channels_of_colour(tmp_path: Path, pixels: np.generic) -> None:
    Image.fromarray(np.full((4, 5), pixels)).save(tmp_path / "gray.tif")
    assert (to_rgb(open_upright(tmp_path / "gray.tif")) == np.full((4, 5, 3), 77)).all()


def test_float_samples_beyond_white_are_white(tmp_path: Path) -> None:
    Image.fromarray(np.array([[-0.5, 1.5]], np.float32)).save(tmp_path / "bright.tif")
    assert to_rgb(open_upright(tmp_path / "bright.tif"))[0, :, 0].tolist() == [0, 255]


def test_colour_on_a_transparent_ground_is_on_white(tmp_path: Path) -> None:
    layers = Image.new("RGBA", (2, 1), (200, 0, 0, 255))
    layers.putpixel((1, 0), (200, 0, 0, 0))
    layers.save(tmp_path / "ink.png")
    assert to_rgb(open_upright(tmp_path / "ink.png"))[0].tolist() == [[200, 0, 0], [255, 255, 255]]


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # turned by 180 degrees
    Image.fromarray(to_8_bit(RAMP.astype(np.float32))).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_allclose(read(tmp_path / "turned.png"), RAMP[::-1, ::-1], atol=1 / 255)


def test_a_large_scan_is_read_without_a_warning(tmp_path: Path) -> None:
    Image.new("1", (10_000, 9_500)).save(tmp_path / "scan.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_upright(tmp_path / "scan.png").size == (10_000, 9_500)


def test_subfolders_count_and_other_files_do_not(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    for name in ("README.md", ".hidden.png", "more/b.JPG", "a.png"):
        (tmp_path / name).write_bytes(b"")
    assert find_images(tmp_path) == [tmp_path / "a.png", tmp_path / "more" / "b.JPG"]


@pytest.mark.parametrize("content", [b"", b"text named .png"])
def test_an_unreadable_image_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.png").write_bytes(content)
    with pytest.raises(DataError, match=r"broken\.png: not a readable image"):
        open_upright(tmp_path / "broken.png")


def test_a_truncated_image_is_named(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    Image.fromarray(noise).save(tmp_path / "cut.jpg")
    whole = (tmp_path / "cut.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"cut\.jpg: not a readable image"):
        open_upright(tmp_path / "cut.jpg")


def test_8_bit_levels_survive_the_way_there_and_back() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(4, 8, 8)
    assert np.array_equal(to_8_bit(from_8_bit(levels)), levels)
    assert to_images(levels).shape == (4, 8, 8, 1)
    assert to_images(levels).dtype == np.float32
    assert (to_images(levels).min(), to_images(levels).max()) == (0, 1)
    assert to_images(np.stack([levels] * 3, axis=-1)).shape == (4, 8, 8, 3)
