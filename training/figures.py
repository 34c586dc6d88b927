"""Pictures of a run for people: the versions' figures/*.png."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.checkpoints import Progress
from training.config import Stage
from training.noise import Images

DPI = 150


def plot_loss(stages: Sequence[Stage], progresses: Sequence[Progress]) -> Figure:
    """Draw validation (strong) and training (faint) loss; stages that learn the same task share a panel."""
    tasks = list(dict.fromkeys(str(stage.noise) for stage in stages))
    figure = Figure(figsize=(5 * len(tasks), 3.6), layout="constrained")
    panels = dict(zip(tasks, figure.subplots(1, len(tasks), squeeze=False)[0], strict=True))
    for index, (stage, progress) in enumerate(zip(stages, progresses, strict=True)):
        _plot_stage(panels[str(stage.noise)], stage, progress, color=f"C{index}")
    for task, panel in panels.items():
        panel.set(title=f"Noise: {task}", xlabel="epoch", ylabel="binary cross-entropy")
        panel.grid(alpha=0.3)
        panel.legend(frameon=False)
    return figure


def _plot_stage(panel: Axes, stage: Stage, progress: Progress, *, color: str) -> None:
    epochs = range(1, progress.epochs + 1)
    best = progress.best_loss
    label = f"{stage.name}, {stage.optimizer} (best {best:.4f})"
    panel.plot(epochs, progress.history["loss"], color=color, alpha=0.35, linewidth=1)
    panel.plot(epochs, progress.history["val_loss"], color=color, label=label)


def plot_examples(rows: dict[str, Images]) -> Figure:
    """Draw (N, H, W, 1) images in [0, 1], one titled row for each entry."""
    count = len(next(iter(rows.values())))
    figure = Figure(figsize=(count, 1.25 * len(rows)), layout="constrained")
    for strip, (title, images) in zip(figure.subfigures(len(rows), 1, squeeze=False)[:, 0], rows.items(), strict=True):
        strip.suptitle(title, fontsize=10)
        for panel, image in zip(np.ravel(strip.subplots(1, count)), images, strict=True):
            panel.imshow(image[..., 0], cmap="gray", vmin=0, vmax=1)
            panel.set_axis_off()
    return figure


def save_figures(folder: Path, figures: dict[str, Figure]) -> None:
    """Write NAME.png for each figure."""
    folder.mkdir()
    for name, figure in figures.items():
        figure.savefig(folder / f"{name}.png", dpi=DPI)
