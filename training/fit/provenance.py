"""Where a run's weights come from, so that they can be reproduced."""

import subprocess
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from training.config import Config, Crops
from training.errors import RunError
from training.images.noise import RecordedNoise, UnknownNoise
from training.presets import PRESETS


def describe_run(config: Config, data_name: str) -> dict[str, Any]:
    """Return the content of run.json, which metadata.json repeats: data, noise, config, commit and versions."""
    return {
        "data": data_name,
        "noise": _describe_noise(config),
        "config": config.to_json(),
        "git_commit": find_git_commit(),
        "versions": {"keras": keras.__version__, "numpy": np.__version__},
    }


def _describe_noise(config: Config) -> str:
    """Return the noise of the exported network: that of each part where they differ, else that of the last stage."""
    noises = {stage.part: str(stage.noise) for stage in config.stages if stage.part}
    if len(set(noises.values())) < 2:
        return str(config.stages[-1].noise)
    return "; ".join(f"{part}: {noise}" for part, noise in noises.items())


def restore_config(run: dict[str, Any]) -> Config:
    """Return the config in a run.json, or raise RunError if its preset has other stages now."""
    config = PRESETS[run["config"]["preset"]]
    if run["noise"] == str(RecordedNoise()):
        config = config.with_pairs()
    if run["noise"] == str(UnknownNoise()):
        config = config.with_noisy_only()
    if [stage["part"] for stage in run["config"]["stages"] if stage.get("part")] == ["gray"]:
        config = config.without_colour()
    if run["data"] != config.data:
        config = config.without_lessons()
    first = run["config"]["stages"][0]
    if first["start_from"]:
        config = config.starting_from(first["start_from"])
    epochs = {stage["name"]: stage["epochs"] for stage in run["config"]["stages"]}
    if epochs.keys() != {stage.name for stage in config.stages}:
        raise RunError(f"the run has the stages {', '.join(epochs)}, which are not those of {config.preset} now")
    if run["config"]["architecture"] != config.architecture:
        raise RunError(f"the run has the architecture {run['config']['architecture']}, not {config.architecture}")
    stages = tuple(replace(stage, epochs=epochs[stage.name]) for stage in config.stages)
    recorded = run["config"]
    crops = recorded.get("crops")
    return replace(
        config,
        seed=recorded["seed"],
        minutes=recorded.get("minutes"),
        stages=stages,
        crops=crops and Crops(**crops),
        precision=recorded.get("precision", config.precision),
        batch_size=recorded["batch_size"],
    )


def format_command(config: Config, data_name: str, *, name: str | None = None) -> str:
    """Return the command line that trains ``config``, to be exported under ``name`` if that is not the preset's."""
    preset = PRESETS[config.preset]
    words = ["python -m training train", config.preset]
    if data_name != "MNIST":
        words.append(" ".join(["--data", *(f"path/to/{name}" for name in data_name.split("+"))]))
    if origin := config.stages[0].start_from:
        words.append(f"--start-from {'/'.join(origin.rsplit('-', 1))}")
    if config.takes_noisy_only:
        preset = preset.with_noisy_only()
        words.append("--noisy-only")
    usual_epochs = {stage.name: stage.epochs for stage in preset.stages}
    epochs = {stage.epochs for stage in config.stages}
    if len(epochs) == 1 and any(stage.epochs != usual_epochs[stage.name] for stage in config.stages):
        words.append(f"--epochs {epochs.pop()}")
    if config.minutes is not None:
        words.append(f"--minutes {config.minutes:g}")
    if config.seed != preset.seed:
        words.append(f"--seed {config.seed}")
    if name not in (None, config.preset):
        words.append(f"--name {name}")
    return " ".join(words)


def find_git_commit() -> str | None:
    """Return the checked-out commit, with "-dirty" if files differ from it, or None outside a git repository."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        result = subprocess.run(command, capture_output=True, check=True, text=True)  # noqa: S603  a constant command
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip()
