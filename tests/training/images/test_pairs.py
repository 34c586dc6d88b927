from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.errors import DataError
from training.images.pairs import holds_pairs, load_pairs


def save(path: Path, width: int = 28, height: int = 28, *, gray: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (width, height), gray).save(path)


def load(folder: Path) -> list[np.ndarray]:
    return load_pairs(folder, lambda _path, image: np.asarray(image)[..., None])


def test_a_pair_is_two_files_of_one_name_whatever_their_ending_and_depth(tmp_path: Path) -> None:
    save(tmp_path / "clean" / "more" / "a.png", gray=100)
    save(tmp_path / "noisy" / "more" / "a.BMP", gray=50)
    (pair,) = load(tmp_path)
    assert pair.shape == (28, 28, 2)
    assert pair[0, 0].tolist() == [100, 50]


def test_of_pairs_in_colour_the_clean_channels_come_first(tmp_path: Path) -> None:
    for kind, colour in (("clean", (1, 2, 3)), ("noisy", (4, 5, 6))):
        (tmp_path / kind).mkdir()
        Image.new("RGB", (5, 4), colour).save(tmp_path / kind / "a.png")
    (pair,) = load_pairs(tmp_path, lambda _path, image: np.asarray(image))
    assert pair.shape == (4, 5, 6)
    assert pair[0, 0].tolist() == [1, 2, 3, 4, 5, 6]


def test_every_file_that_is_wrong_is_named(tmp_path: Path) -> None:
    save(tmp_path / "clean" / "alone.png")
    save(tmp_path / "noisy" / "lonely.png")
    save(tmp_path / "clean" / "broken.png")
    (tmp_path / "noisy" / "broken.png").write_bytes(b"no image")
    save(tmp_path / "clean" / "small.png")
    save(tmp_path / "noisy" / "small.png", 28, 30)
    save(tmp_path / "clean" / "twice.png")
    save(tmp_path / "clean" / "twice.bmp")
    save(tmp_path / "noisy" / "twice.png")
    with pytest.raises(DataError) as caught:
        load(tmp_path)
    _, *problems = [line.strip().replace(str(tmp_path), "") for line in str(caught.value).splitlines()]
    assert [problem.split(" (")[0] for problem in problems] == [
        "/noisy/alone.*: is missing; its partner is there",
        "/noisy/broken.png: not a readable image",
        "/clean/lonely.*: is missing; its partner is there",
        "/noisy/small.png: 28x30 pixels, but /clean/small.png has 28x28",
        "/clean/twice.*: there are several: .bmp, .png",
    ]


def test_of_many_wrong_files_ten_are_named(tmp_path: Path) -> None:
    save(tmp_path / "noisy" / "a.png")
    for number in range(12):
        save(tmp_path / "clean" / f"{number:02}.png")
    with pytest.raises(DataError) as caught:
        load(tmp_path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 12
    assert lines[-1].strip() == "and 3 more"


def test_noisy_images_without_clean_ones_are_not_taken_for_clean_ones(tmp_path: Path) -> None:
    save(tmp_path / "noisy" / "a.png")
    with pytest.raises(DataError, match=r"has noisy/; pairs are"):
        holds_pairs(tmp_path)


@pytest.mark.parametrize(
    ("made", "given", "text"),
    [
        (["clean", "Noisy"], ".", "has Noisy/, clean/; pairs are"),
        (["clean", "noise"], ".", "has clean/, noise/; pairs are"),
        (["noisy"], ".", "has noisy/; pairs are"),
        (["x/clean", "x/noisy"], ".", "there are pairs in"),
        (["clean", "noisy"], "noisy", "is one half of pairs"),
    ],
)
def test_folders_that_look_like_pairs_and_are_none_are_refused(
    tmp_path: Path, made: list[str], given: str, text: str
) -> None:
    for name in made:
        (tmp_path / name).mkdir(parents=True)
    with pytest.raises(DataError, match=text):
        holds_pairs(tmp_path / given)


def test_a_folder_of_clean_pictures_holds_no_pairs(tmp_path: Path) -> None:
    (tmp_path / "holidays").mkdir()
    assert not holds_pairs(tmp_path)
