"""How the learning rate falls over a run of so many epochs, or minutes."""

import math
import time
from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from training.fit.checkpoints import Progress


class PlannedCosine(keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly for ``warmup_steps``, then falls along half a cosine to ``final_share`` of its peak.

    The end of the run can be changed between epochs: progress then continues linearly from its current value.
    """

    def __init__(self, peak: float, *, steps: int, warmup_steps: int, final_share: float) -> None:
        self.peak = peak
        self.warmup_steps = warmup_steps
        self.final_share = final_share
        # The step and the progress at which the plan was made, and the progress of each step since.
        self.plan = keras.Variable(np.array([0, 0, 1 / steps], np.float32), trainable=False, name="plan")

    def __call__(self, step: keras.KerasTensor) -> keras.KerasTensor:
        """Return the learning rate of a step, counted from 0."""
        step = ops.cast(step, "float32")
        falling = (1 + ops.cos(math.pi * self._find_progress(step))) / 2
        rising = ops.minimum(1.0, (step + 1) / max(self.warmup_steps, 1))
        return self.peak * rising * (self.final_share + (1 - self.final_share) * falling)

    def plan_end(self, step: int, remaining_steps: float) -> None:
        """Move the end of the run to ``remaining_steps`` after ``step``, also for a run that was finished."""
        progress = float(ops.convert_to_numpy(self._find_progress(ops.convert_to_tensor(float(step)))))
        if progress >= 1:
            progress = step / (step + remaining_steps)
        self.plan.assign(np.array([step, progress, (1 - progress) / max(remaining_steps, 1)], np.float32))

    def _find_progress(self, step: keras.KerasTensor) -> keras.KerasTensor:
        start, progress, share = self.plan[0], self.plan[1], self.plan[2]
        return ops.clip(progress + (step - start) * share, 0, 1)


def plan_end(optimizer: keras.optimizers.Optimizer, *, remaining_steps: float) -> None:
    """Let the learning rate fall from its current value within ``remaining_steps``."""
    schedule = optimizer._learning_rate  # ``learning_rate`` is its current value
    if isinstance(schedule, PlannedCosine):
        schedule.plan_end(int(np.asarray(optimizer.iterations)), remaining_steps)


class TimeBudget(keras.callbacks.Callback):
    """Ends a run after ``minutes``, including those before a resumption, and lets the learning rate fall by then.

    ``epochs`` stays an upper bound. The seconds of each epoch go into its logs.
    """

    def __init__(
        self, minutes: float, progress: Progress, *, epochs: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self.budget_s = 60 * minutes
        self.spent_s = progress.seconds
        self.epochs = epochs
        self.clock = clock
        self.seconds_per_epoch = next(iter(progress.history.get("seconds", [])[-1:]), None)

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002  # Keras names it
        self.started = self.clock()
        if self.seconds_per_epoch:
            remaining_epochs = min((self.budget_s - self.spent_s) / self.seconds_per_epoch, self.epochs - epoch)
            plan_end(self.model.optimizer, remaining_steps=remaining_epochs * self.params["steps"])

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002  # likewise
        if self.spent_s + self.clock() - self.started >= self.budget_s:
            self.model.stop_training = True

    def on_epoch_end(self, _epoch: int, logs: dict[str, float]) -> None:
        self.seconds_per_epoch = logs["seconds"] = self.clock() - self.started
        self.spent_s += self.seconds_per_epoch
