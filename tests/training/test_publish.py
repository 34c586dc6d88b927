import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from tests.training.conftest import FinishedRun
from training.__main__ import main
from training.digits.data import CleanImages, load_clean_images
from training.digits.evaluate import evaluate
from training.errors import RunError, StoreError
from training.fit.train import load_network
from training.presets import PRESETS
from training.publish import describe_gain, publish, read_run
from training.store.export import SavedNetwork
from training.store.metadata import read_metadata
from training.store.versions import hash_files
from training.tasks import DIGITS


@pytest.fixture
def images(finished_run: FinishedRun) -> CleanImages:
    return load_clean_images(str(finished_run.data), height=28, width=28, seed=0)


def test_training_ends_with_the_best_weights_in_the_store(finished_run: FinishedRun, images: CleanImages) -> None:
    network = load_network(DIGITS, PRESETS["article"], finished_run.run_dir, stage_name="denoise")
    saved = SavedNetwork(finished_run.store / "article" / "1")
    expected = keras.ops.convert_to_numpy(network(images.test))
    np.testing.assert_allclose(saved.denoise(images.test), expected, atol=1e-5)


def test_the_metadata_describes_the_version(finished_run: FinishedRun, images: CleanImages) -> None:
    folder = finished_run.store / "article" / "1"
    metadata = json.loads((folder / "metadata.json").read_text())
    assert (metadata["schema_version"], metadata["name"], metadata["version"]) == (1, "article", 1)
    assert metadata["input"] == {"height": 28, "width": 28, "channels": 1, "polarity": "light-on-dark"}
    assert (metadata["noise_level"], metadata["size_multiple"], metadata["halo_px"]) == (None, 1, 0)
    assert metadata["description"] == "Preset article, trained on blobs"
    assert metadata["files"] == hash_files(folder)
    assert metadata["training"]["config"] == PRESETS["article"].without_lessons().with_epochs(1).to_json()
    assert metadata["training"]["data"] == "blobs"
    assert set(metadata["training"]["versions"]) == {"keras", "numpy", "tensorflow"}
    measured = evaluate(SavedNetwork(folder).denoise, images.test, PRESETS["article"].stages[-1].test_noise)
    assert metadata["metrics"].items() >= measured.items()
    assert metadata["metrics"]["protocol"] == "blobs test, Gaussian 0.4 clipped"


@pytest.mark.parametrize(
    ("denoised", "said"),
    [
        (22.72, "13.40 dB noisy, 22.72 dB denoised"),
        (
            13.4,
            "13.40 dB noisy, 13.40 dB denoised; warning: it does not lessen its noise: train it longer, or on others",
        ),
    ],
)
def test_the_gain_is_said_and_its_absence_warned_of(tmp_path: Path, denoised: float, said: str) -> None:
    (tmp_path / "metadata.json").write_text(json.dumps({"metrics": {"noisy_psnr_db": 13.4, "psnr_db": denoised}}))
    assert describe_gain(tmp_path) == said


def test_a_run_from_a_version_is_published_with_its_origin(finished_run: FinishedRun, tmp_path: Path) -> None:
    store = shutil.copytree(finished_run.store, tmp_path / "store")
    words = ["train", "article", "--data", finished_run.data, "--epochs", "1", "--start-from", "article"]
    assert main([str(word) for word in [*words, "--run-dir", tmp_path / "run", "--store", store]]) == 0
    (stage,) = read_metadata(store / "article" / "2")["training"]["config"]["stages"]
    assert (stage["name"], stage["start_from"]) == ("denoise", "article-1")
    card = (store / "article" / "2" / "MODEL_CARD.md").read_text()
    assert "python -m training train article --data path/to/blobs --start-from article/1 --epochs 1\n" in card


def test_the_card_names_the_data_and_the_command(finished_run: FinishedRun) -> None:
    card = (finished_run.store / "article" / "1" / "MODEL_CARD.md").read_text()
    assert "“blobs”" in card
    assert "python -m training train article --data path/to/blobs --epochs 1\n" in card


def test_the_figures_are_pictures(finished_run: FinishedRun) -> None:
    figures = finished_run.store / "article" / "1" / "figures"
    assert sorted(path.name for path in figures.iterdir()) == [
        "examples.png",
        "features.png",
        "loss.png",
        "reconstructions.png",
    ]
    for path in figures.iterdir():
        with Image.open(path) as figure:
            assert figure.width >= 1000


def test_a_network_without_feature_maps_is_published_without_their_figure(blobs_npz: Path, tmp_path: Path) -> None:
    words = ["train", "dense", "--data", blobs_npz, "--epochs", "1", "--run-dir", tmp_path / "run"]
    assert main([str(word) for word in [*words, "--store", tmp_path]]) == 0
    figures = tmp_path / "dense" / "1" / "figures"
    assert sorted(path.name for path in figures.iterdir()) == ["examples.png", "loss.png"]


def test_no_file_names_a_path_of_this_machine(finished_run: FinishedRun, request: pytest.FixtureRequest) -> None:
    paths = [str(path).encode() for path in (finished_run.run_dir.parent, finished_run.data.parent, Path.home())]
    paths.append(str(request.config.rootpath).encode())
    files = [path for path in finished_run.store.rglob("*") if path.is_file()]
    assert [path for path in files if any(local in path.read_bytes() for local in paths)] == []


def test_a_second_export_is_the_next_version(finished_run: FinishedRun, tmp_path: Path) -> None:
    words = ["export", finished_run.run_dir, "--data", finished_run.data, "--store", tmp_path, "--name", "mine"]
    assert [main([str(word) for word in words]) for _ in range(2)] == [0, 0]
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == ["1", "2"]


def test_weights_that_give_no_number_are_not_exported(
    finished_run: FinishedRun, images: CleanImages, tmp_path: Path
) -> None:
    run_dir = shutil.copytree(finished_run.run_dir, tmp_path / "run")
    with np.load(run_dir / "denoise" / "best.npz") as arrays:
        broken = [np.full_like(array, np.nan) for array in arrays.values()]
    np.savez(run_dir / "denoise" / "best.npz", *broken)
    with pytest.raises(StoreError, match="does not compute"):
        publish(DIGITS, read_run(run_dir), images, store=tmp_path / "store", name="article")
    assert list((tmp_path / "store" / "article").iterdir()) == []


def test_a_run_is_exported_with_its_own_data(finished_run: FinishedRun, blobs: CleanImages, tmp_path: Path) -> None:
    others = CleanImages("others", blobs.train, blobs.validation, blobs.test)
    with pytest.raises(RunError, match="was trained on blobs, not others"):
        publish(DIGITS, read_run(finished_run.run_dir), others, store=tmp_path, name="article")


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no run"):
        read_run(tmp_path)


def test_a_run_without_weights_is_refused(finished_run: FinishedRun, tmp_path: Path) -> None:
    run_dir = shutil.copytree(finished_run.run_dir, tmp_path / "run")
    shutil.rmtree(run_dir / "denoise")
    with pytest.raises(RunError, match="no epoch of stage denoise"):
        read_run(run_dir)
