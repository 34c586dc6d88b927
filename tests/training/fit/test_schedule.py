from typing import Any

import keras
import numpy as np
import pytest

from training.fit.checkpoints import Progress
from training.fit.schedule import PlannedCosine, TimeBudget


def rates(schedule: PlannedCosine, *steps: int) -> list[float]:
    return [float(keras.ops.convert_to_numpy(schedule(step))) for step in steps]


def test_the_rate_rises_and_then_falls_along_half_a_cosine() -> None:
    schedule = PlannedCosine(2.0, steps=1000, warmup_steps=10, final_share=0.1)
    assert rates(schedule, 0, 4) == pytest.approx([0.2, 1.0], rel=1e-3)
    assert rates(schedule, 500, 1000, 2000) == pytest.approx([1.1, 0.2, 0.2], rel=1e-3)


def test_a_new_plan_goes_on_from_where_the_rate_is() -> None:
    schedule = PlannedCosine(1.0, steps=1000, warmup_steps=0, final_share=0.0)
    before = rates(schedule, 500)
    schedule.plan_end(500, remaining_steps=100)
    assert rates(schedule, 500) == pytest.approx(before)
    assert rates(schedule, 550, 600) == pytest.approx([np.cos(np.pi * 0.375) ** 2, 0], abs=1e-5)


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def make_model(schedule: Any) -> keras.Model:  # noqa: ANN401  # a schedule or a number
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(schedule), loss="mse")
    return model


class TestBudget:
    def run(self, minutes: float, *, spent_s: float = 0.0, epochs: int = 100) -> tuple[Progress, PlannedCosine]:
        """Train with epochs of four steps of five seconds each."""
        clock = Clock()
        schedule = PlannedCosine(1.0, steps=4 * epochs, warmup_steps=0, final_share=0.0)
        logged: list[dict[str, float]] = []

        class Ticking(keras.callbacks.Callback):
            def on_train_batch_begin(self, _batch: int, logs: object = None) -> None:
                clock.now_s += 5

            def on_epoch_end(self, _epoch: int, logs: dict[str, float]) -> None:
                logged.append(dict(logs))

        progress = Progress({"seconds": [spent_s], "val_loss": [1.0]} if spent_s else {})
        budget = TimeBudget(minutes, progress, epochs=epochs, clock=clock)
        data = np.zeros((8, 1), np.float32)
        make_model(schedule).fit(data, data, batch_size=2, epochs=epochs, verbose=0, callbacks=[budget, Ticking()])
        finished = Progress()
        for logs in logged:
            finished = finished.with_epoch(logs | {"val_loss": 1.0})
        return finished, schedule

    def test_a_run_ends_when_its_minutes_are_over(self) -> None:
        progress, _ = self.run(1.0)
        assert progress.epochs == 3
        assert progress.seconds == pytest.approx(60)

    def test_the_rate_has_fallen_by_then(self) -> None:
        _, schedule = self.run(10.0)
        assert rates(schedule, 0)[0] > 0.9
        assert rates(schedule, 120) == pytest.approx([0], abs=1e-3)

    def test_what_was_spent_before_a_resumption_counts(self) -> None:
        progress, _ = self.run(1.0, spent_s=40)
        assert progress.epochs == 1

    def test_epochs_stay_an_upper_bound(self) -> None:
        progress, _ = self.run(10.0, epochs=2)
        assert progress.epochs == 2
