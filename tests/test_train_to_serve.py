"""From pictures in a folder to responses of the service: both halves of the project, and what they share."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from app.imaging import samples
from app.main import create_app
from app.settings import Settings
from tests.app.inference.runtimes.networks import loader
from tests.app.processes import REPOSITORY
from tests.training.drawing import draw_blobs, write_images, write_pairs
from training.__main__ import main
from training.config import Crops, Part
from training.errors import DataError, RunError, StoreError
from training.fit.checkpoints import load_best
from training.fit.train import train
from training.images import luma
from training.images.noise import GaussianNoise, Images
from training.photos.assess import assess
from training.photos.data import load_photos
from training.photos.evaluate import GRAY_PROTOCOLS
from training.photos.network.photo import build_photo, list_own_weights
from training.photos.task import PhotosTask
from training.presets import PRESETS
from training.publish import publish, read_run

SIDE_PX = 48
PARTS: tuple[Part, ...] = ("white-gray", "gray", "white-colour", "colour")
TINY = replace(
    PRESETS["photo"],
    crops=Crops(side_px=32, steps_per_epoch=2),
    batch_size=2,
    precision="float32",
).with_epochs(1)
build_small = partial(build_photo, widths=(4, 6, 8), blocks=(1, 1, 1, 1, 1))  # traced in seconds
TASK = PhotosTask({"photo": build_small, "photo-any-noise": partial(build_small, knows_white=False)})


@contextmanager
def served(store: Path, name: str) -> Iterator[TestClient]:
    settings = Settings(model_store=store, default_model=name, inference_threads=1)
    # Passed, because the service's own would set TensorFlow's threads, which is too late after training.
    with TestClient(create_app(settings, load=loader(settings.runtime))) as client:
        yield client


def encode(image: Images) -> bytes:
    file = BytesIO()
    Image.fromarray(np.rint(image.clip(0, 1) * 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def read_metadata(store: Path, name: str, *, version: int = 1) -> dict[str, Any]:
    metadata: dict[str, Any] = json.loads((store / name / str(version) / "metadata.json").read_text())
    return metadata


@pytest.fixture(scope="module")
def photo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos") / "discs"
    write_images(folder, draw_blobs(3, size=SIDE_PX))
    (folder / "sources.csv").write_text("file,licence\n0.png,CC0\n1.png,CC0\n2.png,CC BY 4.0\n")
    return folder


@pytest.fixture(scope="module")
def photo_store(photo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photo")
    photos = load_photos([str(photo_folder)], min_side_px=32, seed=0)
    train(TASK, TINY, photos, folder / "run")
    train(TASK, TINY, photos, folder / "run", resume=True)
    publish(TASK, read_run(folder / "run"), photos, store=folder / "store", name="mine")
    return folder / "store"


def test_a_network_for_photographs_is_trained_published_and_served(photo_store: Path) -> None:
    clean = draw_blobs(1, size=SIDE_PX)[0, :40, :, 0]
    noisy = GaussianNoise(25 / 255).add_to(clean, np.random.default_rng(1))
    with served(photo_store, "mine") as client:
        response = client.post("/v1/denoise", content=encode(noisy), params={"noise_level": "25"})
    assert response.status_code == 200
    assert (response.headers["X-Model-Name"], response.headers["X-Noise-Level"]) == ("mine", "25")
    with Image.open(BytesIO(response.content)) as image:
        assert image.size == (SIDE_PX, 40)


def test_a_network_for_photographs_denoises_colour(photo_store: Path) -> None:
    clean = draw_blobs(1, size=SIDE_PX)[0, :40] * np.array([0.9, 0.6, 0.3], np.float32)
    noisy = GaussianNoise(25 / 255).add_to(clean, np.random.default_rng(1))
    with served(photo_store, "mine") as client:
        response = client.post("/v1/denoise", content=encode(noisy), params={"noise_level": "25", "color": "keep"})
    assert response.status_code == 200
    with Image.open(BytesIO(response.content)) as image:
        assert (image.mode, image.size) == ("RGB", (SIDE_PX, 40))


def test_both_halves_mean_the_same_luma() -> None:
    np.testing.assert_array_equal(samples.LUMA_WEIGHTS, luma.LUMA_WEIGHTS)
    assert samples.LUMA_NOISE == luma.LUMA_NOISE


def test_a_version_is_trained_further_on_other_photographs(
    photo_store: Path, photo_folder: Path, tmp_path: Path
) -> None:
    store = shutil.copytree(photo_store, tmp_path / "store")
    write_images(tmp_path / "colours", draw_blobs(2, size=SIDE_PX) * np.array([0.9, 0.6, 0.3], np.float32))
    photos = load_photos([str(photo_folder), str(tmp_path / "colours")], min_side_px=32, seed=0)
    train(TASK, TINY.starting_from("mine-1"), photos, tmp_path / "run", origin=store / "mine" / "1")
    publish(TASK, read_run(tmp_path / "run"), photos, store=store, name="mine")
    assert read_metadata(store, "mine", version=2)["metrics"]["epochs"] == dict.fromkeys(PARTS, 1)
    card = (store / "mine" / "2" / "MODEL_CARD.md").read_text()
    command = (
        "python -m training train photo --data path/to/discs path/to/colours --start-from mine/1 --epochs 1 --name mine"
    )
    assert f"```sh\n{command}\n```" in card


def test_each_stage_of_a_part_trains_that_part_alone(photo_store: Path) -> None:
    def load(stage: str) -> dict[Part, list[np.ndarray]]:
        network = build_small()
        load_best(photo_store.parent / "run" / stage, network)
        return {part: [weight.numpy() for weight in weights] for part, weights in list_own_weights(network).items()}

    for before, stage in pairwise(("denoise", *PARTS)):
        old, new = load(before), load(stage)
        assert [part for part in PARTS if not is_same(old[part], new[part])] == [stage]


def is_same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all(np.array_equal(*pair) for pair in zip(one, other, strict=True))


def test_its_metadata_says_how_good_it_is_at_each_level(photo_store: Path) -> None:
    metadata = read_metadata(photo_store, "mine")
    assert metadata["description"] == "Preset photo, trained on discs"
    assert metadata["noise_level"] == {"min": 0.0, "max": 75 / 255}
    assert metadata["input"] == {"height": None, "width": None, "channels": 3, "polarity": None}
    metrics = metadata["metrics"]
    levels = ["15", "25", "50"]
    assert list(metrics["by_noise_level"]) == [*levels, *(f"{level} in colour" for level in levels), "a camera's"]
    assert metrics["psnr_db"] == metrics["by_noise_level"]["25"]["psnr_db"]
    assert (metrics["train_images"], metrics["validation_images"]) == (2, 1)
    assert metrics["licences"] == {"CC0": 2, "CC BY 4.0": 1}
    assert metrics["epochs"] == dict.fromkeys(("denoise", *PARTS), 1)
    assert metrics["protocol"] == "The middle of 1 held-out photographs of discs, white Gaussian noise, level told"


def test_its_card_says_the_same_in_words(photo_store: Path) -> None:
    card = (photo_store / "mine" / "1" / "MODEL_CARD.md").read_text()
    assert "2 photographs were trained on, at scales from 1 to 0.5; 1 were held out" in card
    assert "python -m training train photo --data path/to/discs --epochs 1 --name mine\n" in card
    assert "astronaut" in card
    assert card.count("\n| 25 | ") == 1
    assert "The photographs of “discs”, by licence: 2 CC0, 1 CC BY 4.0." in card
    assert "| denoise | mean absolute error | 1 | Muon 0.003 | fresh weights |\n" in card
    assert "| gray | log mean squared error | 1 | Muon 0.001 | white-gray |\n" in card
    assert "| colour | log mean squared error | 1 | Muon 0.003 | white-colour |\n" in card


def test_it_is_compared_with_classical_filters(photo_store: Path, photo_folder: Path) -> None:
    quick = assess(photo_store / "mine" / "1", str(photo_folder), limit=1)
    assert "1 images of discs" in quick
    assert "| non-local means |" in quick
    assert "evaluation" not in read_metadata(photo_store, "mine")["metrics"]
    assert "## Beside other methods" not in (photo_store / "mine" / "1" / "MODEL_CARD.md").read_text()


def test_the_comparison_is_written_into_card_and_metadata(
    photo_store: Path, photo_folder: Path, tmp_path: Path
) -> None:
    store = shutil.copytree(photo_store, tmp_path / "store")
    section = assess(store / "mine" / "1", str(photo_folder))
    card = (store / "mine" / "1" / "MODEL_CARD.md").read_text()
    assert section in card
    assert card.index("## Beside other methods") < card.index("## Limits")
    evaluation = read_metadata(store, "mine")["metrics"]["evaluation"]["discs"]
    assert list(evaluation) == [str(protocol) for protocol in GRAY_PROTOCOLS]
    assert set(evaluation["25 rounded"]) == {"psnr_db", "ssim"}
    assert (store / "mine" / "1" / "figures" / "comparison.png").is_file()


def test_the_comparison_needs_a_folder_of_clean_images(photo_store: Path) -> None:
    with pytest.raises(DataError, match="mnist: no such folder"):
        assess(photo_store / "mine" / "1", "mnist")


def test_a_network_that_takes_no_noise_level_is_not_compared(photo_folder: Path) -> None:
    with pytest.raises(StoreError, match="has no input noise_level"):
        assess(REPOSITORY / "model_store" / "article" / "1", str(photo_folder))


@pytest.fixture(scope="module")
def pair_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs") / "scans"
    clean = draw_blobs(12, size=SIDE_PX)
    write_pairs(folder, clean, GaussianNoise(0.1).add_to(clean, np.random.default_rng(2)))
    return folder


def test_a_network_for_photographs_is_trained_on_pairs(pair_folder: Path, tmp_path: Path) -> None:
    pairs = load_photos([str(pair_folder)], min_side_px=32, seed=0)
    train(TASK, TINY.with_pairs(), pairs, tmp_path / "run")
    publish(TASK, read_run(tmp_path / "run"), pairs, store=tmp_path / "store", name="scans")
    metadata = read_metadata(tmp_path / "store", "scans")
    assert metadata["training"]["noise"] == "that of noisy/clean pairs"
    assert (
        metadata["metrics"]["protocol"]
        == "The middle of 1 held-out photographs of scans, noise that of noisy/clean pairs, level told"
    )
    assert list(metadata["metrics"]["by_noise_level"]) == ["pairs"]
    card = (tmp_path / "store" / "scans" / "1" / "MODEL_CARD.md").read_text()
    assert "11 noisy/clean pairs were trained on; 1 were held out" in card
    assert "The network knows the noise of its pairs" in card
    assert "astronaut" not in card


def test_a_network_for_digits_is_trained_on_pairs_and_served(pair_folder: Path, tmp_path: Path) -> None:
    words = ["train", "article", "--data", pair_folder, "--epochs", "1", "--name", "scans"]
    assert main([str(word) for word in [*words, "--run-dir", tmp_path / "run", "--store", tmp_path / "store"]]) == 0
    metadata = read_metadata(tmp_path / "store", "scans")
    assert metadata["metrics"]["protocol"] == "scans test, that of noisy/clean pairs"
    assert "The noisy/clean pairs of “scans”" in (tmp_path / "store" / "scans" / "1" / "MODEL_CARD.md").read_text()
    with served(tmp_path / "store", "scans") as client:
        assert client.post("/v1/denoise", content=encode(draw_blobs(1)[0, ..., 0])).status_code == 200


def test_a_run_on_pairs_is_not_exported_with_clean_images_of_the_same_name(
    pair_folder: Path, photo_folder: Path, tmp_path: Path
) -> None:
    pairs = load_photos([str(pair_folder)], min_side_px=32, seed=0)
    run = tmp_path / "run"
    (run / "colour" / "epoch-00001").mkdir(parents=True)
    (run / "colour" / "epoch-00001" / "history.json").write_text('{"val_loss": [1.0]}')
    described = {"data": "scans", "noise": "that of noisy/clean pairs", "config": TINY.with_pairs().to_json()}
    (run / "run.json").write_text(json.dumps(described))
    clean = replace(pairs, train=tuple(pair[..., :3] for pair in pairs.train))
    with pytest.raises(RunError, match="was trained on pairs of scans, not scans"):
        publish(TASK, read_run(run), clean, store=tmp_path / "store", name="scans")
