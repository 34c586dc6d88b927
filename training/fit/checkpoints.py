"""A run on disk: its best weights, and the last epoch's weights, optimizer state and history."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from training.config import Stage

History = dict[str, list[float]]


@dataclass(frozen=True)
class Progress:
    """``history`` has one value per epoch for each logged name: loss, psnr_db, val_loss, val_psnr_db."""

    history: History = field(default_factory=dict)

    @property
    def epochs(self) -> int:
        return len(self.history.get("val_loss", []))

    @property
    def seconds(self) -> float:
        """Duration of the finished epochs, 0 without a budget of minutes."""
        return sum(self.history.get("seconds", []))

    def is_over(self, epochs: int, minutes: float | None) -> bool:
        """Return whether that many epochs, or minutes, are finished."""
        return self.epochs >= epochs or (minutes is not None and self.seconds >= 60 * minutes)

    @property
    def best_loss(self) -> float:
        """Lowest validation loss, infinite before the first epoch."""
        return min(self.history.get("val_loss", []), default=float("inf"))

    def with_epoch(self, logs: dict[str, float]) -> "Progress":
        """Return the progress after another epoch."""
        return Progress({name: [*self.history.get(name, []), float(value)] for name, value in logs.items()})


def save_checkpoint(stage_dir: Path, network: keras.Model, progress: Progress) -> None:
    """Write the last epoch's state into a folder that appears complete, then delete the previous one."""
    target = stage_dir / f"epoch-{progress.epochs:05d}"
    partial = stage_dir / "epoch.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    np.savez(partial / "weights.npz", *network.get_weights())
    np.savez(partial / "optimizer.npz", *map(np.asarray, network.optimizer.variables))
    (partial / "history.json").write_text(json.dumps(progress.history))
    partial.rename(target)
    for folder in find_checkpoints(stage_dir)[:-1]:
        shutil.rmtree(folder)


def load_checkpoint(stage_dir: Path, network: keras.Model) -> Progress:
    """Restore ``network`` and its optimizer from the last checkpoint, if any."""
    folders = find_checkpoints(stage_dir)
    if not folders:
        return Progress()
    network.set_weights(_load_arrays(folders[-1] / "weights.npz"))
    network.optimizer.build(network.trainable_variables)
    for variable, value in zip(network.optimizer.variables, _load_arrays(folders[-1] / "optimizer.npz"), strict=True):
        variable.assign(value)
    return load_progress(stage_dir)


def load_progress(stage_dir: Path) -> Progress:
    """Return the history of the last checkpoint, empty if there is none."""
    folders = find_checkpoints(stage_dir)
    return Progress(json.loads((folders[-1] / "history.json").read_text())) if folders else Progress()


def load_progresses(run_dir: Path, stages: Sequence[Stage]) -> dict[str, Progress]:
    """Return the progress of each stage by its name."""
    return {stage.name: load_progress(run_dir / stage.name) for stage in stages}


def save_best(stage_dir: Path, network: keras.Model) -> None:
    """Write the weights with the lowest validation loss so far."""
    stage_dir.mkdir(parents=True, exist_ok=True)
    np.savez(stage_dir / "best.partial.npz", *network.get_weights())
    (stage_dir / "best.partial.npz").replace(stage_dir / "best.npz")


def load_best(stage_dir: Path, network: keras.Model) -> None:
    """Load the best weights of a stage into ``network``."""
    network.set_weights(_load_arrays(stage_dir / "best.npz"))


def find_checkpoints(stage_dir: Path) -> list[Path]:
    """Return the folders of complete checkpoints, the last epoch last."""
    return sorted(stage_dir.glob("epoch-*"), key=lambda path: int(path.name.removeprefix("epoch-")))


def _load_arrays(path: Path) -> list[NDArray[Any]]:
    with np.load(path) as archive:
        return [archive[name] for name in archive.files]
