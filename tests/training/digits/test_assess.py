import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.training.conftest import FinishedRun
from training.digits.assess import assess, load_dense
from training.digits.data import CleanImages, load_clean_images
from training.errors import StoreError
from training.fit.train import train
from training.images.noise import GaussianNoise
from training.presets import PRESETS
from training.store.versions import hash_files
from training.tasks import DIGITS

NOISES = (GaussianNoise(0.4),)


@pytest.fixture(scope="module")
def images(finished_run: FinishedRun) -> CleanImages:
    return load_clean_images(str(finished_run.data), height=28, width=28, seed=0)


@pytest.fixture
def folder(finished_run: FinishedRun, tmp_path: Path) -> Path:
    """A version that may be written to, in a store with another model of the same kind."""
    shutil.copytree(finished_run.store / "article", tmp_path / "store" / "rival")
    (tmp_path / "store" / "empty").mkdir()
    return shutil.copytree(finished_run.store / "article" / "1", tmp_path / "store" / "article" / "1")


def read_metadata(folder: Path) -> dict[str, object]:
    metadata: dict[str, object] = json.loads((folder / "metadata.json").read_text())
    return metadata


def test_a_version_is_measured_beside_filters_and_the_stores_other_networks(folder: Path, images: CleanImages) -> None:
    section = assess(folder, images, runs=folder, noises=NOISES)
    for name in ("noisy input", "median filter", "total variation", "non-local means", "rival/1", "article/1"):
        assert f"| {name} |" in section
    assert section in (folder / "MODEL_CARD.md").read_text()
    assert (folder / "figures" / "psnr.png").stat().st_size > 10_000
    assert read_metadata(folder)["files"] == hash_files(folder)
    metrics = read_metadata(folder)["metrics"]
    assert isinstance(metrics, dict)
    assert metrics["evaluation"]["Gaussian 0.4 clipped"]["psnr_db"] == pytest.approx(metrics["psnr_db"], abs=1e-4)


def test_a_second_evaluation_gives_the_same_files(folder: Path, images: CleanImages) -> None:
    def evaluate() -> list[bytes]:
        assess(folder, images, runs=folder, noises=NOISES)
        return [(folder / name).read_bytes() for name in ("MODEL_CARD.md", "metadata.json", "figures/psnr.png")]

    assert evaluate() == evaluate()


def test_a_quick_look_writes_nothing(folder: Path, images: CleanImages) -> None:
    before = read_metadata(folder)
    assert "3 test images" in assess(folder, images, runs=folder, limit=3, noises=NOISES)
    assert read_metadata(folder) == before
    assert not (folder / "figures" / "psnr.png").exists()


def test_the_dense_autoencoder_takes_part_once_it_is_trained(blobs: CleanImages, tmp_path: Path) -> None:
    assert load_dense(tmp_path) == {}
    train(DIGITS, PRESETS["dense"].with_epochs(1), blobs, tmp_path / "dense")
    denoised = load_dense(tmp_path)["dense"](blobs.test, NOISES[0])
    assert denoised.shape == blobs.test.shape
    assert np.isfinite(denoised).all()


def test_a_network_that_takes_a_noise_level_is_refused(folder: Path, images: CleanImages) -> None:
    metadata = read_metadata(folder) | {"noise_level": {"min": 0, "max": 0.3}}
    (folder / "metadata.json").write_text(json.dumps(metadata))
    with pytest.raises(StoreError, match="or a noise level"):
        assess(folder, images, runs=folder, noises=NOISES)


def test_a_rival_of_another_size_stays_out(folder: Path, images: CleanImages) -> None:
    rival = folder.parents[1] / "rival" / "1"
    metadata = read_metadata(rival) | {"input": {"height": 32, "width": 32, "channels": 1, "polarity": None}}
    (rival / "metadata.json").write_text(json.dumps(metadata))
    assert "rival" not in assess(folder, images, runs=folder, limit=3, noises=NOISES)
