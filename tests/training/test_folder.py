from pathlib import Path

import numpy as np
from PIL import Image

from tests.training.drawing import draw_blobs
from training.folder import load_folder
from training.images.noise import Images

RAMP = np.tile(np.linspace(0, 0.4, 28), (28, 1))


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
