import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.training.drawing import draw_blobs, write_images
from training.config import Interface
from training.digits.networks import build_dense
from training.errors import DataError, StoreError
from training.photos.assess import assess
from training.photos.evaluate import COLOUR_PROTOCOLS, GRAY_PROTOCOLS
from training.photos.network.photo import build_photo
from training.store.describe import describe
from training.store.export import save_network
from training.store.metadata import read_metadata


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store") / "mine" / "1"
    save_network(build_photo(widths=(4, 6, 8), blocks=(1, 1, 1, 1, 1)), folder, size_multiple=8)
    describe(folder, description="Mine", interface=Interface(size_multiple=8))
    return folder


@pytest.fixture(scope="module")
def discs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos") / "discs"
    write_images(folder, draw_blobs(2, size=40))
    return folder


def test_the_tables_go_into_card_metadata_and_figures(version: Path, discs: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(version, tmp_path / "mine" / "1")
    section = assess(folder, str(discs))
    for name in ("noisy input", "non-local means", "mine/1"):
        assert f"| {name} |" in section
    assert (folder / "MODEL_CARD.md").read_text() == f"# mine/1\n\n{section}\n"
    scores = read_metadata(folder)["metrics"]["evaluation"]["discs"]
    assert list(scores) == [str(protocol) for protocol in GRAY_PROTOCOLS]
    assert set(scores["25 rounded"]) == {"psnr_db", "ssim"}
    assert (folder / "figures" / "comparison.png").is_file()


def test_colour_is_measured_where_there_is_some(version: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(version, tmp_path / "mine" / "1")
    discs = draw_blobs(1, size=24)
    write_images(tmp_path / "colours", np.concatenate([discs, discs / 2, discs], axis=-1))
    assert "| In colour: PSNR (dB) |" in assess(folder, str(tmp_path / "colours"))
    scores = read_metadata(folder)["metrics"]["evaluation"]["colours"]
    assert list(scores) == [str(protocol) for protocol in GRAY_PROTOCOLS + COLOUR_PROTOCOLS]


def test_a_quick_look_writes_nothing(version: Path, discs: Path) -> None:
    assert "1 images of discs" in assess(version, str(discs), limit=1)
    assert not (version / "MODEL_CARD.md").exists()
    assert read_metadata(version)["metrics"] == {}


def test_the_comparison_needs_a_folder(version: Path) -> None:
    with pytest.raises(DataError, match="mnist: no such folder"):
        assess(version, "mnist")


def test_a_network_without_a_noise_level_is_refused(discs: Path, tmp_path: Path) -> None:
    save_network(build_dense(), tmp_path)
    with pytest.raises(StoreError, match="has no input noise_level"):
        assess(tmp_path, str(discs))
