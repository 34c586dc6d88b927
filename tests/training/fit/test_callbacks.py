from pathlib import Path

import keras
import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from training.fit.callbacks import KeepProgress, LogScalars
from training.fit.checkpoints import Progress, find_checkpoints, load_best, load_checkpoint, load_progress


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


def test_a_run_whose_loss_is_no_number_ends_with_its_last_good_epoch(tmp_path: Path) -> None:
    network = build_network()
    keeper = KeepProgress(tmp_path, Progress())
    keeper.set_model(network)
    keeper.on_epoch_end(0, {"val_loss": 1.0})
    keeper.on_epoch_end(1, {"val_loss": float("nan")})
    assert network.stop_training
    assert load_progress(tmp_path).history == {"val_loss": [1.0]}


def test_tensorboard_gets_every_scalar_of_an_epoch(tmp_path: Path) -> None:
    callback = LogScalars(tmp_path)
    for epoch, loss in enumerate([0.5, 0.25]):
        callback.on_epoch_end(epoch, {"loss": loss})
    callback.on_train_end()
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert [event.step for event in events.Tensors("loss")] == [1, 2]
