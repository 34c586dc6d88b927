from pathlib import Path

import keras
import numpy as np
import pytest

from training.fit.checkpoints import (
    Progress,
    find_checkpoints,
    load_best,
    load_checkpoint,
    save_best,
    save_checkpoint,
)


def build_network(weight: float = 0) -> keras.Model:
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    network.set_weights([np.full((1, 1), weight)])
    network.compile("adam", "mse")
    network.optimizer.build(network.trainable_variables)
    return network


def finish(stage_dir: Path, network: keras.Model, *losses: float) -> None:
    save_checkpoint(stage_dir, network, Progress({"val_loss": list(losses)}))


def test_the_optimizer_goes_on_with_its_state(tmp_path: Path) -> None:
    network = build_network(0.5)
    network.fit(np.ones((4, 1)), np.zeros((4, 1)), epochs=2, verbose=0)
    finish(tmp_path, network, 1.0)
    restored = build_network()
    load_checkpoint(tmp_path, restored)
    for one, other in zip(restored.optimizer.variables, network.optimizer.variables, strict=True):
        assert np.array_equal(one.numpy(), other.numpy())


def test_the_last_checkpoint_alone_is_kept(tmp_path: Path) -> None:
    finish(tmp_path, build_network(0.5), 1.0)
    finish(tmp_path, build_network(0.75), 1.0, 2.0)
    network = build_network()
    assert load_checkpoint(tmp_path, network) == Progress({"val_loss": [1.0, 2.0]})
    assert network.get_weights()[0].item() == 0.75
    assert [path.name for path in find_checkpoints(tmp_path)] == ["epoch-00002"]


def test_the_best_weights_are_loaded(tmp_path: Path) -> None:
    save_best(tmp_path / "stage", build_network(0.5))
    network = build_network()
    load_best(tmp_path / "stage", network)
    assert network.get_weights()[0].item() == 0.5


def test_without_a_checkpoint_nothing_is_loaded(tmp_path: Path) -> None:
    network = build_network(0.5)
    progress = load_checkpoint(tmp_path, network)
    assert (progress.epochs, progress.best_loss) == (0, float("inf"))
    assert network.get_weights()[0].item() == 0.5


def test_a_checkpoint_that_was_cut_off_does_not_count(tmp_path: Path) -> None:
    finish(tmp_path, build_network(), 1.0)
    (tmp_path / "epoch.partial").mkdir()
    assert load_checkpoint(tmp_path, build_network()).epochs == 1
    finish(tmp_path, build_network(), 1.0, 2.0)
    assert load_checkpoint(tmp_path, build_network()).epochs == 2


@pytest.mark.parametrize("epochs", [9_999, 100_001])
def test_the_last_checkpoint_is_the_one_with_most_epochs(tmp_path: Path, epochs: int) -> None:
    for count in (epochs, epochs - 1):
        (tmp_path / f"epoch-{count:05d}").mkdir()
    assert find_checkpoints(tmp_path)[-1].name == f"epoch-{epochs:05d}"


@pytest.mark.parametrize(
    ("epochs", "minutes", "is_over"), [(3, None, False), (2, None, True), (3, 1.0, True), (3, 1.1, False)]
)
def test_a_run_is_over_after_its_epochs_or_minutes(epochs: int, minutes: float | None, *, is_over: bool) -> None:
    progress = Progress({"val_loss": [1.0, 1.0], "seconds": [30.0, 30.0]})
    assert progress.is_over(epochs, minutes) == is_over
