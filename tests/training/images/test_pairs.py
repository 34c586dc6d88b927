from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.drawing import draw_blobs, write_pairs
from training.__main__ import main
from training.data import load_clean_images
from training.errors import DataError
from training.folder import load_folder
from training.images.noise import RecordedNoise, pair_up
from training.images.pairs import holds_pairs


def save(path: Path, width: int = 28, height: int = 28, *, gray: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (width, height), gray).save(path)


def load(folder: Path) -> np.ndarray:
    return load_folder(folder, height=28, width=28)


def test_a_pair_is_two_files_of_one_name_whatever_their_ending_and_depth(tmp_path: Path) -> None:
    save(tmp_path / "clean" / "more" / "a.png", gray=100)
    save(tmp_path / "noisy" / "more" / "a.BMP", gray=50)
    (pair,) = load(tmp_path)
    assert pair.shape == (28, 28, 2)
    np.testing.assert_allclose(pair[0, 0] * 255, [100, 50], atol=1e-4)


def test_the_clean_image_decides_whether_both_are_inverted(tmp_path: Path) -> None:
    save(tmp_path / "clean" / "dark.png", gray=100)
    save(tmp_path / "noisy" / "dark.png", gray=200)
    save(tmp_path / "clean" / "light.png", gray=200)
    save(tmp_path / "noisy" / "light.png", gray=100)
    dark, light = load(tmp_path)[:, 0, 0] * 255
    np.testing.assert_allclose([dark, light], [[100, 200], [55, 155]], atol=1e-4)


def test_pairs_are_cropped_and_scaled_alike(tmp_path: Path) -> None:
    scene = np.rint(np.mgrid[:60, :100][1] * 1.2).astype(np.uint8)
    for kind in ("clean", "noisy"):
        (tmp_path / kind).mkdir()
        Image.fromarray(scene).save(tmp_path / kind / "a.png")
    (pair,) = load(tmp_path)
    np.testing.assert_array_equal(pair[..., 0], pair[..., 1])


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
        load(tmp_path)


def test_pairs_stay_together_when_they_are_divided(tmp_path: Path) -> None:
    clean = draw_blobs(20)
    write_pairs(tmp_path, clean, clean * np.float32(0.5))
    images = load_clean_images(str(tmp_path), height=28, width=28, seed=0)
    assert images.are_pairs
    assert [len(part) for part in (images.train, images.validation, images.test)] == [17, 1, 2]
    for part in (images.train, images.validation, images.test):
        noisy, paired = pair_up(part, RecordedNoise(), np.random.default_rng(0))
        np.testing.assert_allclose(noisy, paired / 2, atol=1 / 255)


def test_evaluation_wants_clean_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_pairs(tmp_path / "data", draw_blobs(1), draw_blobs(1))
    assert main(["evaluate", "digits/1", "--data", str(tmp_path / "data")]) == 1
    assert "holds pairs" in capsys.readouterr().err


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
