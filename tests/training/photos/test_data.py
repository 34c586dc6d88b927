from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.drawing import draw_blobs, write_images, write_pairs
from training.errors import DataError
from training.photos.data import load_photos, read_photo


def save(path: Path, width: int, height: int, *, gray: int = 90) -> None:
    Image.new("L", (width, height), gray).save(path)


def load(*folders: Path, seed: int = 0) -> list[list[int]]:
    photos = load_photos([str(folder) for folder in folders], min_side_px=16, seed=seed)
    return [[int(photo[0, 0, 0]) for photo in part] for part in (photos.train, photos.validation)]


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


def test_of_each_of_several_folders_a_twentieth_is_held_out(tmp_path: Path) -> None:
    for folder, grays in (("few", range(2)), ("many", range(100, 140))):
        (tmp_path / folder).mkdir()
        for gray in grays:
            save(tmp_path / folder / f"{gray}.png", 16, 16, gray=gray)
    train, validation = load(tmp_path / "few", tmp_path / "many")
    assert [gray < 100 for gray in validation] == [True, False, False]
    assert sorted(train + validation) == [0, 1, *range(100, 140)]
    photos = load_photos([f"{tmp_path}/few/", f"{tmp_path}/many"], min_side_px=16, seed=0)
    assert photos.name == "few+many"


def test_pairs_and_clean_photographs_are_not_mixed(tmp_path: Path) -> None:
    write_images(tmp_path / "clean", draw_blobs(2))
    write_pairs(tmp_path / "pairs", draw_blobs(2), draw_blobs(2))
    with pytest.raises(DataError, match="some hold pairs and some clean images alone"):
        load(tmp_path / "clean", tmp_path / "pairs")


def test_pairs_have_the_clean_channels_first(tmp_path: Path) -> None:
    write_pairs(tmp_path, draw_blobs(2), draw_blobs(2) * np.float32(0.5))
    photos = load_photos([str(tmp_path)], min_side_px=16, seed=0)
    assert photos.are_pairs
    for pair in (*photos.train, *photos.validation):
        assert pair.shape == (28, 28, 6)
        np.testing.assert_allclose(pair[..., :3] / 2, pair[..., 3:], atol=1)


def test_images_are_gray_if_none_has_colour(tmp_path: Path) -> None:
    write_pairs(tmp_path / "gray", draw_blobs(2), draw_blobs(2) * np.float32(0.5))
    assert load_photos([str(tmp_path / "gray")], min_side_px=16, seed=0).are_gray
    write_images(tmp_path / "clean", draw_blobs(2))
    Image.new("RGB", (28, 28), "red").save(tmp_path / "clean" / "red.png")
    assert not load_photos([str(tmp_path / "clean")], min_side_px=16, seed=0).are_gray


def test_licences_are_counted_where_they_are_told(tmp_path: Path) -> None:
    for folder in ("told", "untold"):
        write_images(tmp_path / folder, draw_blobs(3))
    rows = ["file,licence,author", "0.png,CC0,Ada", "1.png,CC BY 4.0,Ben", "2.png,CC0,Cleo", "3.png,,Dan"]
    (tmp_path / "told" / "sources.csv").write_text("\n".join(rows))
    (tmp_path / "untold" / "sources.csv").write_text("file,author\n0.png,Ada\n")
    photos = load_photos([str(tmp_path / "told"), str(tmp_path / "untold")], min_side_px=16, seed=0)
    assert photos.licences == {"CC0": 2, "CC BY 4.0": 1}


def test_without_a_list_of_sources_no_licence_is_counted(tmp_path: Path) -> None:
    write_images(tmp_path, draw_blobs(2))
    assert load_photos([str(tmp_path)], min_side_px=16, seed=0).licences == {}


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
    assert photo.shape == (20, 30, 3)
    assert photo.dtype == np.uint8
    assert (photo == 200).all()


def test_photographs_keep_their_colours(tmp_path: Path) -> None:
    Image.new("RGB", (4, 3), (10, 20, 30)).save(tmp_path / "colour.png")
    assert (read_photo(tmp_path / "colour.png") == [10, 20, 30]).all()


def test_16_bit_photographs_are_rounded_to_8(tmp_path: Path) -> None:
    Image.fromarray(np.full((16, 16), 257 * 77 + 100, np.uint16)).save(tmp_path / "deep.png")
    assert (read_photo(tmp_path / "deep.png") == 77).all()


def test_a_photograph_of_a_pair_must_hold_a_crop(tmp_path: Path) -> None:
    for kind in ("clean", "noisy"):
        (tmp_path / kind).mkdir()
        save(tmp_path / kind / "a.png", 64, 31)
        save(tmp_path / kind / "b.png", 64, 64)
    with pytest.raises(DataError, match=r"clean/a\.png: 64x31 pixels, at least 32"):
        load_photos([str(tmp_path)], min_side_px=32, seed=0)


def test_a_list_of_sources_that_is_no_text_is_named(tmp_path: Path) -> None:
    write_images(tmp_path, draw_blobs(2, size=20))
    (tmp_path / "sources.csv").write_bytes("file,licence\n0.png,Künstler".encode("latin-1"))
    with pytest.raises(DataError, match=r"sources\.csv: is no CSV file in UTF-8"):
        load_photos([str(tmp_path)], min_side_px=16, seed=0)
