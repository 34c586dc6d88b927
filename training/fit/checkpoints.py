"""What of a run is on disk: best weights, and the last epoch's weights, optimizer state and history."""

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
    """`history` has a list for each logged name, one value an epoch: loss, psnr_db, val_loss, val_psnr_db."""

    history: History = field(default_factory=dict)

    @property
    def epochs(self) -> int:
        """Number of finished epochs."""
        return len(self.history.get("val_loss", []))

    @property
    def seconds(self) -> float:
        """What the finished epochs took, where a budget of minutes was given."""
        return sum(self.history.get("seconds", []))

    def is_over(self, epochs: int, minutes: float | None) -> bool:
        """Tell whether a run of that many epochs, or minutes, has nothing left to do."""
        return self.epochs >= epochs or (minutes is not None and self.seconds >= 60 * minutes)

    @property
    def best_loss(self) -> float:
        """Lowest validation loss, infinite before the first epoch."""
        return min(self.history.get("val_loss", []), default=float("inf"))

    def with_epoch(self, logs: dict[str, float]) -> "Progress":
        """Return the progress after one more epoch."""
        return Progress({name: [*self.history.get(name, []), float(value)] for name, value in logs.items()})


def save_checkpoint(stage_dir: Path, network: keras.Model, progress: Progress) -> None:
    """Write the last epoch's state as one folder that appears whole, then delete the one before it."""
    target = stage_dir / f"epoch-{progress.epochs:05d}"
    partial = stage_dir / "epoch.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    _save_arrays(partial / "weights.npz", network.get_weights())
    _save_arrays(partial / "optimizer.npz", [np.asarray(variable) for variable in network.optimizer.variables])
    (partial / "history.json").write_text(json.dumps(progress.history))
    partial.rename(target)
    for folder in find_checkpoints(stage_dir)[:-1]:
        shutil.rmtree(folder)


def load_checkpoint(stage_dir: Path, network: keras.Model) -> Progress:
    """Restore `network` and its optimizer from the last checkpoint, if there is one."""
    folders = find_checkpoints(stage_dir)
    if not folders:
        return Progress()
    network.set_weights(_load_arrays(folders[-1] / "weights.npz"))
    network.optimizer.build(network.trainable_variables)
    for variable, value in zip(network.optimizer.variables, _load_arrays(folders[-1] / "optimizer.npz"), strict=True):
        variable.assign(value)
    return load_progress(stage_dir)


def load_progress(stage_dir: Path) -> Progress:
    """Return the history of the last checkpoint, an empty one where there is none."""
    folders = find_checkpoints(stage_dir)
    return Progress(json.loads((folders[-1] / "history.json").read_text())) if folders else Progress()


def load_progresses(run_dir: Path, stages: Sequence[Stage]) -> dict[str, Progress]:
    """Return the history of every stage of a run by the stage's name."""
    return {stage.name: load_progress(run_dir / stage.name) for stage in stages}


def save_best(stage_dir: Path, network: keras.Model) -> None:
    """Write the weights that did best in validation so far."""
    stage_dir.mkdir(parents=True, exist_ok=True)
    _save_arrays(stage_dir / "best.partial.npz", network.get_weights())
    (stage_dir / "best.partial.npz").replace(_best_path(stage_dir))


def load_best(stage_dir: Path, network: keras.Model) -> None:
    """Put the best weights of a stage into `network`."""
    network.set_weights(_load_arrays(_best_path(stage_dir)))


def _best_path(stage_dir: Path) -> Path:
    """Return where `save_best` writes."""
    return stage_dir / "best.npz"


def find_checkpoints(stage_dir: Path) -> list[Path]:
    """Return the folders of complete checkpoints, the last epoch last."""
    return sorted(stage_dir.glob("epoch-*"), key=lambda path: int(path.name.removeprefix("epoch-")))


def _save_arrays(path: Path, arrays: list[NDArray[Any]]) -> None:
    """Write arrays in order."""
    np.savez(path, *arrays)


def _load_arrays(path: Path) -> list[NDArray[Any]]:
    """Read what `_save_arrays` wrote."""
    with np.load(path) as archive:
        return [archive[name] for name in archive.files]
