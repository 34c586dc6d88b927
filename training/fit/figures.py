"""The loss curves of a run, for its model card."""

from collections.abc import Mapping, Sequence
from textwrap import fill

from matplotlib.figure import Figure

from training.config import Loss, Stage
from training.fit.checkpoints import Progress

TITLE_CHARACTERS = 45
LOSS_NAMES: dict[Loss, str] = {
    "binary_crossentropy": "binary cross-entropy",
    "mean_absolute_error": "mean absolute error",
    "log_mean_squared_error": "logarithm of the error",
}


def plot_loss(stages: Sequence[Stage], progresses: Mapping[str, Progress]) -> Figure:
    """Draw validation (strong) and training (faint) loss; stages of the same noise and loss share a panel.

    Stages without an epoch are left out.
    """
    stages = [stage for stage in stages if progresses[stage.name].epochs]
    tasks = list(dict.fromkeys((str(stage.noise), stage.loss) for stage in stages))
    figure = Figure(figsize=(5 * len(tasks), 3.6), layout="constrained")
    panels = dict(zip(tasks, figure.subplots(1, len(tasks), squeeze=False)[0], strict=True))
    for index, stage in enumerate(stages):
        panel, progress, color = panels[str(stage.noise), stage.loss], progresses[stage.name], f"C{index}"
        epochs = range(1, progress.epochs + 1)
        label = f"{stage.name}, {stage.optimizer} (best {progress.best_loss:.4f})"
        panel.plot(epochs, progress.history["loss"], color=color, alpha=0.35, linewidth=1)
        panel.plot(epochs, progress.history["val_loss"], color=color, label=label)
    for (noise, loss), panel in panels.items():
        panel.set(title=fill(f"Noise: {noise}", TITLE_CHARACTERS), xlabel="epoch", ylabel=LOSS_NAMES[loss])
        panel.grid(alpha=0.3)
        panel.legend(frameon=False)
    return figure
