import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.training.conftest import FinishedRun
from training.config import Adadelta, AdamW, Config, Stage
from training.digits.data import CleanImages
from training.errors import RunError, StoreError
from training.fit.checkpoints import load_progress
from training.fit.train import load_network, log_mean_squared_error, psnr_db, train
from training.images.augmentation import RandomAffine
from training.images.noise import BlindNoise, GaussianNoise
from training.presets import PRESETS
from training.store.export import load_weights
from training.tasks import DIGITS

NOISE = GaussianNoise(0.4)
TWO_STAGES = replace(
    PRESETS["article"],
    batch_size=16,
    stages=(Stage("first", NOISE, 1, Adadelta(1.0)), Stage("second", NOISE, 3, Adadelta(1.0), start_from="first")),
)


def with_last_epochs(epochs: int) -> Config:
    first, second = TWO_STAGES.stages
    return replace(TWO_STAGES, stages=(first, replace(second, epochs=epochs)))


@pytest.fixture(scope="module")
def uninterrupted(blobs: CleanImages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run_dir = tmp_path_factory.mktemp("uninterrupted") / "run"
    train(DIGITS, TWO_STAGES, blobs, run_dir)
    return run_dir


def read_weights(run_dir: Path) -> list[np.ndarray]:
    (checkpoint,) = (run_dir / "second").glob("epoch-*")
    with np.load(checkpoint / "weights.npz") as arrays:
        return list(arrays.values())


def test_the_loss_falls(uninterrupted: Path) -> None:
    loss = load_progress(uninterrupted / "second").history["loss"]
    assert loss[2] < loss[1] < loss[0]


def test_a_resumed_run_ends_where_an_uninterrupted_one_does(
    uninterrupted: Path, blobs: CleanImages, tmp_path: Path
) -> None:
    run_dir = shutil.copytree(uninterrupted, tmp_path / "run", ignore=shutil.ignore_patterns("second"))
    train(DIGITS, with_last_epochs(1), blobs, run_dir, resume=True)
    train(DIGITS, TWO_STAGES, blobs, run_dir, resume=True)
    for resumed, expected in zip(read_weights(run_dir), read_weights(uninterrupted), strict=True):
        np.testing.assert_allclose(resumed, expected, atol=1e-5)
    histories = [load_progress(run / "second").history for run in (run_dir, uninterrupted)]
    assert histories[0] == {name: pytest.approx(values, abs=1e-4) for name, values in histories[1].items()}


def test_a_run_of_an_older_release_is_resumed(uninterrupted: Path, blobs: CleanImages, tmp_path: Path) -> None:
    run_dir = shutil.copytree(uninterrupted, tmp_path / "run")
    run = json.loads((run_dir / "run.json").read_text())
    for stage in run["config"]["stages"]:
        del stage["part"], stage["copy_of"]
    (run_dir / "run.json").write_text(json.dumps(run))
    train(DIGITS, TWO_STAGES, blobs, run_dir, resume=True)


def test_a_finished_run_that_is_resumed_stays_as_it_is(uninterrupted: Path, blobs: CleanImages) -> None:
    before = read_weights(uninterrupted)
    train(DIGITS, TWO_STAGES, blobs, uninterrupted, resume=True)
    for resumed, expected in zip(read_weights(uninterrupted), before, strict=True):
        assert np.array_equal(resumed, expected)


def test_a_stage_starts_from_the_weights_of_the_one_it_names(blobs: CleanImages, uninterrupted: Path) -> None:
    network = load_network(DIGITS, TWO_STAGES, uninterrupted, stage_name="first")
    network.compile(loss="binary_crossentropy")
    noisy = NOISE.add_to(blobs.validation, np.random.default_rng(1))
    best = load_progress(uninterrupted / "first").best_loss
    assert network.evaluate(noisy, blobs.validation, verbose=0) == pytest.approx(best, abs=1e-4)
    assert load_progress(uninterrupted / "second").history["loss"][0] < load_progress(uninterrupted / "first").best_loss


def test_tensorboard_finds_loss_and_psnr_of_every_epoch(uninterrupted: Path) -> None:
    events = EventAccumulator(str(uninterrupted / "tensorboard" / "second"))
    events.Reload()
    assert set(events.Tags()["tensors"]) == {"loss", "psnr_db", "val_loss", "val_psnr_db"}
    assert [event.step for event in events.Tensors("val_psnr_db")] == [1, 2, 3]


def test_a_run_is_not_overwritten(finished_run: FinishedRun, blobs: CleanImages) -> None:
    with pytest.raises(RunError, match="has a run already; add --resume"):
        train(DIGITS, TWO_STAGES, blobs, finished_run.run_dir)


def test_there_must_be_a_run_to_resume(blobs: CleanImages, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run to resume"):
        train(DIGITS, TWO_STAGES, blobs, tmp_path, resume=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "config", [replace(TWO_STAGES, seed=1), replace(TWO_STAGES, batch_size=8)], ids=["seed", "batch size"]
)
def test_a_run_is_resumed_only_with_its_own_config(uninterrupted: Path, blobs: CleanImages, config: Config) -> None:
    with pytest.raises(RunError, match="was started with another"):
        train(DIGITS, config, blobs, uninterrupted, resume=True)


def test_a_run_is_resumed_only_with_its_own_data(uninterrupted: Path, blobs: CleanImages) -> None:
    with pytest.raises(RunError, match="was started with another"):
        train(DIGITS, TWO_STAGES, replace(blobs, name="others"), uninterrupted, resume=True)


AVERAGED = replace(
    PRESETS["article"],
    batch_size=8,
    stages=(
        Stage("only", BlindNoise(), 4, AdamW(3e-3), augmentation=RandomAffine(epochs_share=0.5), measured_noise=NOISE),
    ),
)


def test_what_is_kept_of_averaged_weights_is_what_was_validated(blobs: CleanImages, tmp_path: Path) -> None:
    train(DIGITS, AVERAGED, blobs, tmp_path / "run")
    network = load_network(DIGITS, AVERAGED, tmp_path / "run", stage_name="only")
    network.compile(loss="binary_crossentropy")
    noisy = NOISE.add_to(blobs.validation, np.random.default_rng(1))
    best = load_progress(tmp_path / "run" / "only").best_loss
    assert network.evaluate(noisy, blobs.validation, verbose=0) == pytest.approx(best, abs=1e-4)


def test_a_resumed_run_goes_on_averaging(blobs: CleanImages, tmp_path: Path) -> None:
    # A constant learning rate, since the cosine depends on the number of epochs.
    stage = replace(AVERAGED.stages[0], optimizer=AdamW(1e-3, warmup_steps=0, final_share=1), augmentation=None)
    config = replace(AVERAGED, stages=(stage,))
    train(DIGITS, config.with_epochs(2), blobs, tmp_path / "whole")
    train(DIGITS, config.with_epochs(1), blobs, tmp_path / "parts")
    train(DIGITS, config.with_epochs(2), blobs, tmp_path / "parts", resume=True)
    whole, parts = (load_progress(tmp_path / name / "only").history["val_loss"] for name in ("whole", "parts"))
    assert parts == pytest.approx(whole, abs=1e-4)


def test_a_run_that_is_resumed_for_more_epochs_goes_on_learning(blobs: CleanImages, tmp_path: Path) -> None:
    stage = replace(AVERAGED.stages[0], optimizer=AdamW(3e-3, final_share=0.0), augmentation=None)
    config = replace(AVERAGED, stages=(stage,))
    train(DIGITS, config.with_epochs(1), blobs, tmp_path / "run")
    train(DIGITS, config.with_epochs(2), blobs, tmp_path / "run", resume=True)
    losses = load_progress(tmp_path / "run" / "only").history["loss"]
    assert losses[1] < 0.999 * losses[0]


def test_the_logarithm_of_the_squared_error_is_psnr_as_a_loss() -> None:
    clean = np.zeros((3, 8, 8, 1), np.float32)
    denoised = clean + np.array([0.05, 0.1, 0.4], np.float32).reshape(3, 1, 1, 1)
    losses = np.asarray(log_mean_squared_error(clean, denoised))
    assert losses == pytest.approx(-np.log(10) / 20 * np.asarray(psnr_db(clean, denoised)), abs=0.002)


def test_an_error_of_luma_costs_more_than_one_of_the_other_colours() -> None:
    clean = np.zeros((2, 8, 8, 3), np.float32)
    errors = np.array([[0.1, 0.1, 0.1], [0.1, 0.1, -0.1]], np.float32).reshape(2, 1, 1, 3)
    gray, coloured = np.asarray(log_mean_squared_error(clean, clean + errors))
    assert gray == pytest.approx(np.log(0.1), abs=0.002)
    assert coloured == pytest.approx((np.log(0.1) + np.log(0.1 * (0.299 + 0.587 - 0.114))) / 2, abs=0.002)


def test_images_that_are_as_good_as_equal_do_not_rule_the_loss() -> None:
    clean = np.zeros((2, 8, 8, 1), np.float32)
    equal, alike = np.asarray(log_mean_squared_error(clean, clean + np.array([[[[0.0]]], [[[0.0005]]]], np.float32)))
    assert equal == pytest.approx(alike, abs=0.02)


def test_a_run_starts_from_the_weights_of_a_version(
    finished_run: FinishedRun, blobs: CleanImages, tmp_path: Path
) -> None:
    config = PRESETS["article"].with_epochs(1).starting_from("article-1")
    origin, run_dir = finished_run.store / "article" / "1", tmp_path / "run"
    train(DIGITS, config, blobs, run_dir, origin=origin)
    with np.load(run_dir / "article-1" / "best.npz") as adopted:
        for array, expected in zip(adopted.values(), load_weights(origin), strict=True):
            np.testing.assert_array_equal(array, expected)
    started, fresh = (load_progress(run / "denoise").best_loss for run in (run_dir, finished_run.run_dir))
    assert started < fresh
    train(DIGITS, config.with_epochs(2), blobs, run_dir, resume=True, origin=origin)
    assert load_progress(run_dir / "denoise").epochs == 2


def test_a_run_does_not_start_from_another_architecture(
    finished_run: FinishedRun, blobs: CleanImages, tmp_path: Path
) -> None:
    config = PRESETS["dense"].starting_from("article-1")
    with pytest.raises(StoreError, match="article/1: is of another architecture than dense"):
        train(DIGITS, config, blobs, tmp_path / "run", origin=finished_run.store / "article" / "1")
    assert not (tmp_path / "run").exists()


def spend(run_dir: Path, stage: str, seconds: float) -> None:
    """Say in a stage's last checkpoint how long its epochs took, one value each."""
    (checkpoint,) = (run_dir / stage).glob("epoch-*")
    history = load_progress(run_dir / stage).history
    history["seconds"] = [seconds / len(history["loss"])] * len(history["loss"])
    (checkpoint / "history.json").write_text(json.dumps(history))


def test_a_stage_that_has_spent_its_share_of_the_minutes_is_over(
    uninterrupted: Path, blobs: CleanImages, tmp_path: Path
) -> None:
    run_dir = shutil.copytree(uninterrupted, tmp_path / "run", ignore=shutil.ignore_patterns("second"))
    spend(run_dir, "first", 0.1)
    first, second = TWO_STAGES.stages
    longer = replace(first, epochs=1000), replace(second, epochs=2000)  # the first has a third of the minutes
    train(DIGITS, replace(TWO_STAGES, minutes=0.3 / 60, stages=longer), blobs, run_dir, resume=True)
    assert load_progress(run_dir / "first").epochs == 1


def test_a_stage_that_another_has_started_from_is_trained_no_more(
    uninterrupted: Path, blobs: CleanImages, tmp_path: Path
) -> None:
    run_dir = shutil.copytree(uninterrupted, tmp_path / "run")
    train(DIGITS, TWO_STAGES.with_epochs(4), blobs, run_dir, resume=True)
    assert [load_progress(run_dir / stage.name).epochs for stage in TWO_STAGES.stages] == [1, 4]


def test_a_run_of_a_release_without_tasks_and_parts_is_resumed(
    uninterrupted: Path, blobs: CleanImages, tmp_path: Path
) -> None:
    run_dir = shutil.copytree(uninterrupted, tmp_path / "run")
    run = json.loads((run_dir / "run.json").read_text())
    del run["config"]["task"]
    for stage in run["config"]["stages"]:
        del stage["part"]
    (run_dir / "run.json").write_text(json.dumps(run))
    train(DIGITS, TWO_STAGES, blobs, run_dir, resume=True)
