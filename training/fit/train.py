"""The training loop: stages of fit, each resumable."""

import json
import math
import sys
from pathlib import Path
from typing import Any

import keras
from keras import ops

from training.config import Config, Loss, Stage
from training.errors import RunError, StoreError
from training.fit.callbacks import KeepProgress, LogScalars
from training.fit.checkpoints import load_best, load_checkpoint, load_progress, save_best
from training.fit.optimizers import build_optimizer
from training.fit.provenance import describe_run
from training.fit.schedule import TimeBudget, plan_end
from training.images.luma import GRAY_WEIGHTS
from training.interruption import raise_if_interrupted
from training.task import DatasetT, Task

EVALUATION_BATCH_PIXELS = 500 * 28 * 28
# Several batches per call of the compiled step: 1.6 times faster than single ones on 2 cores.
MAX_STEPS_PER_EXECUTION = 20
NEGLIGIBLE_MSE = 1e-5  # that of noise of 0.8 levels


def train(
    task: Task[DatasetT],
    config: Config,
    images: DatasetT,
    run_dir: Path,
    *,
    resume: bool = False,
    origin: Path | None = None,
) -> None:
    """Train every stage, from its last checkpoint if ``resume``, and keep weights and histories in ``run_dir``.

    ``task`` is that of ``config``; ``images`` are pairs if ``config`` takes pairs. KeyboardInterrupt passes through and
    leaves the best weights and the last finished epoch. ``origin`` is the version in the store whose weights
    ``config.starting_from`` names.

    Raises:
        RunError: ``run_dir`` holds a run that ``resume`` does not continue, or lacks the one to resume.
        StoreError: ``origin`` cannot be read, or is of another architecture.
    """
    origin_dir = run_dir / str(config.stages[0].start_from)
    adopted = _load_origin(task, config, origin) if origin and not origin_dir.exists() else None
    _prepare_run_dir(run_dir, describe_run(config, images.name), resume=resume)
    if adopted is not None:
        save_best(origin_dir, adopted)  # as if it were an earlier stage
    for stage in config.stages:
        if _has_followers(config, stage, run_dir):
            continue
        print(f"{stage.name}: noise {stage.noise}, {stage.optimizer}, {stage.epochs} epochs", flush=True)
        _train_stage(task, config, stage, images, run_dir=run_dir)


def _load_origin(task: Task[Any], config: Config, origin: Path) -> keras.Model:
    """Return the network with the weights of a version."""
    from training.store.export import load_weights  # needs TensorFlow

    network = task.build_network(config)
    try:
        network.set_weights(task.adapt_weights(load_weights(origin), network))
    except ValueError as error:
        raise StoreError(f"{origin}: is of another architecture than {config.preset}: {error}") from error
    return network


def _has_followers(config: Config, stage: Stage, run_dir: Path) -> bool:
    """Return whether another stage has started from this one: training it further would change nothing."""
    return any(other.start_from == stage.name and load_progress(run_dir / other.name).epochs for other in config.stages)


def _prepare_run_dir(run_dir: Path, run: dict[str, Any], *, resume: bool) -> None:
    """Write ``run`` as run.json, or check that it matches the run to resume."""
    path = run_dir / "run.json"
    if path.exists() != resume:
        hint = "there is no run to resume" if resume else "has a run already; add --resume, or choose another --run-dir"
        raise RunError(f"{run_dir}: {hint}")
    if resume and (other := _find_difference(json.loads(path.read_text()), run)):
        raise RunError(f"{run_dir}: was started with another {other}; choose another --run-dir")
    run_dir.mkdir(parents=True, exist_ok=True)
    partial = run_dir / "run.partial.json"
    partial.write_text(json.dumps(run, indent=2))
    partial.replace(path)


def _find_difference(started: dict[str, Any], resumed: dict[str, Any]) -> str | None:
    """Return what else than durations and descriptions changed; runs of older releases lack some fields."""
    if started["data"] != resumed["data"]:
        return "data"
    missing, ignored = {"part": None, "copy_of": None}, {"epochs": None, "lesson": None}
    old, new = (
        run["config"] | {"stages": [missing | stage | ignored for stage in run["config"]["stages"]]}
        for run in (started, resumed)
    )
    names = new.keys() - {"task", "description", "interface", "note", "data", "minutes"}
    return next((name for name in new if name in names and old.get(name) != new[name]), None)


def _train_stage(task: Task[DatasetT], config: Config, stage: Stage, images: DatasetT, *, run_dir: Path) -> None:
    """Train one stage up to its number of epochs, or minutes."""
    stage_dir = run_dir / stage.name
    minutes = config.minutes_of(stage)
    if load_progress(stage_dir).is_over(stage.epochs, minutes):
        return
    keras.utils.set_random_seed(config.seed)
    network = load_network(task, config, run_dir, stage_name=stage.start_from, precision=config.precision)
    task.prepare(network, stage)
    batches, validation = task.batches(config, stage, images), task.validation(config, stage, images)
    optimizer = build_optimizer(stage.optimizer, steps=len(batches) * stage.epochs)
    _compile_network(network, optimizer, loss=stage.loss, steps_per_epoch=len(batches))
    progress = load_checkpoint(stage_dir, network)
    plan_end(optimizer, remaining_steps=(stage.epochs - progress.epochs) * len(batches))
    network.fit(
        batches,
        shuffle=False,  # Keras would reorder the shuffled batches by a state that a resumed run lacks
        validation_data=validation,
        validation_batch_size=max(1, EVALUATION_BATCH_PIXELS // math.prod(validation[1].shape[1:])),
        initial_epoch=progress.epochs,
        epochs=stage.epochs,
        verbose=1 if sys.stdout.isatty() else 2,
        callbacks=[
            keras.callbacks.LambdaCallback(
                on_epoch_begin=lambda epoch, _logs: batches.start_epoch(epoch),
                on_train_batch_end=lambda *_batch, **_logs: raise_if_interrupted(),
            ),
            *([TimeBudget(minutes, progress, epochs=stage.epochs)] if minutes else []),
            *([keras.callbacks.SwapEMAWeights()] if optimizer.use_ema else []),  # validates the average
            KeepProgress(stage_dir, progress),
            LogScalars(run_dir / "tensorboard" / stage.name),
        ],
    )


def load_network(
    task: Task[Any], config: Config, run_dir: Path, *, stage_name: str | None, precision: str = "float32"
) -> keras.Model:
    """Return the network with the best weights of a stage, or fresh weights if ``stage_name`` is None.

    ``precision`` is Keras' dtype policy; the weights are always float32.
    """
    keras.config.set_dtype_policy(precision)
    try:
        network = task.build_network(config)
    finally:
        keras.config.set_dtype_policy("float32")
    if stage_name is not None:
        load_best(run_dir / stage_name, network)
    return network


def _compile_network(
    network: keras.Model, optimizer: keras.optimizers.Optimizer, *, loss: Loss, steps_per_epoch: int
) -> None:
    network.compile(
        optimizer=optimizer,
        loss=log_mean_squared_error if loss == "log_mean_squared_error" else loss,
        metrics=[psnr_db],
        # A divisor, since the progress bar counts whole executions.
        steps_per_execution=max(n for n in range(1, MAX_STEPS_PER_EXECUTION + 1) if steps_per_epoch % n == 0),
        # XLA makes these networks up to three times slower on CPUs.
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    )


def log_mean_squared_error(clean: keras.KerasTensor, denoised: keras.KerasTensor) -> keras.KerasTensor:
    """Return PSNR as a loss, shape (N,): half the logarithm of each image's mean squared error.

    For colour it is the mean of that and the luma's, whose errors eyes see first. Images with much and with little
    noise weigh the same. Errors far below an 8-bit level count alike, so that clean images do not dominate.
    """
    loss = ops.log(_mean_squared_errors(clean, denoised) + NEGLIGIBLE_MSE) / 2
    if clean.shape[-1] != 3:
        return loss
    luma = ops.log(_mean_squared_errors(_luma(clean), _luma(denoised)) + NEGLIGIBLE_MSE) / 2
    return (loss + luma) / 2


def psnr_db(clean: keras.KerasTensor, denoised: keras.KerasTensor) -> keras.KerasTensor:
    """Return each image's PSNR, shape (N,), at most 100 dB so that equal images stay finite."""
    return -10 * ops.log10(ops.maximum(_mean_squared_errors(clean, denoised), 1e-10))


def _luma(images: keras.KerasTensor) -> keras.KerasTensor:
    return ops.sum(images * GRAY_WEIGHTS, axis=-1, keepdims=True)


def _mean_squared_errors(clean: keras.KerasTensor, denoised: keras.KerasTensor) -> keras.KerasTensor:
    return ops.mean(ops.square(clean - denoised), axis=(1, 2, 3))
