from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.errors import DataError
from training.photos.data import load_photos, read_photo


def save(path: Path, width: int, height: int, *, gray: int = 90) -> None:
    Image.new("L", (width, height), gray).save(path)


def load(folder: Path, seed: int = 0) -> list[list[int]]:
    photos = load_photos(str(folder), min_side_px=16, seed=seed)
    return [[int(photo[0, 0]) for photo in part] for part in (photos.train, photos.validation)]


def test_a_twentieth_is_held_out_and_the_seed_says_which(tmp_path: Path) -> None:
    for gray in range(40):
        save(tmp_path / f"{gray:02}.png", 16 + gray, 20, gray=gray)
    train, validation = load(tmp_path)
    assert len(validation) == 2
    assert sorted(train + validation) == list(range(40))
    assert load(tmp_path) == [train, validation]
    assert load(tmp_path, seed=1) != [train, validation]


def test_of_few_photographs_one_is_held_out(tmp_path: Path) -> None:
    for gray in (1, 2):
        save(tmp_path / f"{gray}.png", 20, 20, gray=gray)
    train, validation = load(tmp_path)
    assert (len(train), len(validation)) == (1, 1)


def test_one_photograph_is_too_few(tmp_path: Path) -> None:
    save(tmp_path / "a.png", 20, 20)
    with pytest.raises(DataError, match="1 photographs, at least 2"):
        load(tmp_path)


def test_a_photograph_that_holds_no_crop_is_named(tmp_path: Path) -> None:
    save(tmp_path / "a.png", 20, 15)
    with pytest.raises(DataError, match=r"a\.png: 20x15 pixels, at least 16"):
        load(tmp_path)


def test_mnist_is_no_folder_of_photographs() -> None:
    with pytest.raises(DataError, match="mnist: no such folder"):
        load(Path("mnist"))


def test_photographs_keep_their_size_and_their_light_ground(tmp_path: Path) -> None:
    save(tmp_path / "light.png", 30, 20, gray=200)
    photo = read_photo(tmp_path / "light.png")
    assert photo.shape == (20, 30)
    assert photo.dtype == np.uint8
    assert (photo == 200).all()


def test_16_bit_photographs_are_rounded_to_8(tmp_path: Path) -> None:
    Image.fromarray(np.full((16, 16), 257 * 77 + 100, np.uint16)).save(tmp_path / "deep.png")
    assert (read_photo(tmp_path / "deep.png") == 77).all()


def test_a_photograph_of_a_pair_must_hold_a_crop(tmp_path: Path) -> None:
    for kind in ("clean", "noisy"):
        (tmp_path / kind).mkdir()
        save(tmp_path / kind / "a.png", 64, 31)
        save(tmp_path / kind / "b.png", 64, 64)
    with pytest.raises(DataError, match=r"clean/a\.png: 64x31 pixels, at least 32"):
        load_photos(str(tmp_path), min_side_px=32, seed=0)
