from pathlib import Path

import keras
import numpy as np
import pytest

from training.callbacks import KeepProgress
from training.checkpoints import Progress, find_checkpoints, load_best, load_checkpoint, load_progress


def build_network(weight: float = 0) -> keras.Model:
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    network.set_weights([np.full((1, 1), weight)])
    network.compile("adam", "mse")
    network.optimizer.build(network.trainable_variables)
    return network


def finish_epochs(stage_dir: Path, losses: list[float], *, progress: Progress | None = None) -> None:
    """Let the weight be the validation loss."""
    callback = KeepProgress(stage_dir, progress or Progress())
    for epoch, loss in enumerate(losses):
        callback.set_model(build_network(loss))
        callback.on_epoch_end(epoch, {"loss": 2 * loss, "val_loss": loss})


def read_best(stage_dir: Path) -> float:
    network = build_network()
    load_best(stage_dir, network)
    return float(network.get_weights()[0].item())


def test_the_best_weights_are_those_of_the_lowest_validation_loss(tmp_path: Path) -> None:
    finish_epochs(tmp_path, [0.5, 0.25, 0.75])
    assert read_best(tmp_path) == 0.25


def test_a_resumed_run_replaces_the_best_weights_only_by_better_ones(tmp_path: Path) -> None:
    finish_epochs(tmp_path, [0.25])
    finish_epochs(tmp_path, [0.5], progress=load_checkpoint(tmp_path, build_network()))
    assert read_best(tmp_path) == 0.25
    finish_epochs(tmp_path, [0.125], progress=load_checkpoint(tmp_path, build_network()))
    assert read_best(tmp_path) == 0.125


def test_the_last_epoch_is_kept_whether_it_is_the_best_or_not(tmp_path: Path) -> None:
    finish_epochs(tmp_path, [0.5, 0.25, 0.75])
    network = build_network()
    progress = load_checkpoint(tmp_path, network)
    assert network.get_weights()[0].item() == 0.75
    assert progress == Progress({"loss": [1.0, 0.5, 1.5], "val_loss": [0.5, 0.25, 0.75]})
    assert [path.name for path in find_checkpoints(tmp_path)] == ["epoch-00003"]


def test_the_optimizer_goes_on_with_its_state(tmp_path: Path) -> None:
    network = build_network(0.5)
    network.fit(np.ones((4, 1)), np.zeros((4, 1)), epochs=2, verbose=0)
    callback = KeepProgress(tmp_path, Progress())
    callback.set_model(network)
    callback.on_epoch_end(0, {"val_loss": 1.0})
    restored = build_network()
    load_checkpoint(tmp_path, restored)
    for one, other in zip(restored.optimizer.variables, network.optimizer.variables, strict=True):
        assert np.array_equal(one.numpy(), other.numpy())


def test_without_a_checkpoint_nothing_is_loaded(tmp_path: Path) -> None:
    network = build_network(0.5)
    progress = load_checkpoint(tmp_path, network)
    assert (progress.epochs, progress.best_loss) == (0, float("inf"))
    assert network.get_weights()[0].item() == 0.5


def test_a_checkpoint_that_was_cut_off_does_not_count(tmp_path: Path) -> None:
    finish_epochs(tmp_path, [0.5])
    (tmp_path / "epoch.partial").mkdir()
    assert load_checkpoint(tmp_path, build_network()).epochs == 1
    finish_epochs(tmp_path, [0.25], progress=load_checkpoint(tmp_path, build_network()))
    assert load_checkpoint(tmp_path, build_network()).epochs == 2


@pytest.mark.parametrize("epochs", [9_999, 100_001])
def test_the_last_checkpoint_is_the_one_with_most_epochs(tmp_path: Path, epochs: int) -> None:
    for count in (epochs, epochs - 1):
        (tmp_path / f"epoch-{count:05d}").mkdir()
    assert find_checkpoints(tmp_path)[-1].name == f"epoch-{epochs:05d}"


def test_a_run_whose_loss_is_no_number_ends_with_its_last_good_epoch(tmp_path: Path) -> None:
    network = build_network()
    keeper = KeepProgress(tmp_path, Progress())
    keeper.set_model(network)
    keeper.on_epoch_end(0, {"val_loss": 1.0})
    keeper.on_epoch_end(1, {"val_loss": float("nan")})
    assert network.stop_training
    assert load_progress(tmp_path).history == {"val_loss": [1.0]}
