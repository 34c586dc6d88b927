"""From a finished run to a version in the store: save, check, measure, draw, describe."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from training.config import Config
from training.errors import RunError, StoreError
from training.fit.checkpoints import load_progress
from training.fit.provenance import format_command, restore_config
from training.fit.train import load_network
from training.store.card_section import CARD_NAME
from training.store.export import VERSIONS, SavedNetwork, save_network
from training.store.figures import save_figures
from training.store.metadata import Metadata, read_metadata, write_metadata
from training.store.versions import hash_files, new_version
from training.task import DatasetT, Task, TrainedRun

CHECKED_BATCH_SIZES = (1, 3, 8)
CHECKED_FREE_SIZE = (24, 40)  # height and width that a network of any size is checked with
TOLERANCE = 1e-5  # float32 sums differ by less if their order changes


class Run(NamedTuple):
    """A run's folder, its run.json, and the config that run.json describes."""

    folder: Path
    record: dict[str, Any]
    config: Config


def read_run(folder: Path) -> Run:
    """Return the run in a folder; RunError if it lacks run.json or weights, or its preset has other stages now."""
    path = folder / "run.json"
    if not path.exists():
        raise RunError(f"{folder}: there is no run in it")
    record = json.loads(path.read_text())
    config = restore_config(record)
    if not load_progress(folder / config.stages[-1].name).epochs:
        raise RunError(f"{folder}: no epoch of stage {config.stages[-1].name} is finished yet; train with --resume")
    return Run(folder, record, config)


def publish(task: Task[DatasetT], run: Run, images: DatasetT, *, store: Path, name: str) -> Path:
    """Write the best weights of the run's last stage as the next version of ``name``, and return its folder.

    Raises:
        RunError: the run was trained on other data.
        StoreError: the store cannot be written, or the SavedModel does not compute what the network computes.
    """
    config = run.config
    trained, given = (
        f"pairs of {data}" if are_pairs else data
        for data, are_pairs in ((run.record["data"], config.takes_pairs), (images.name, images.are_pairs))
    )
    if trained != given:
        raise RunError(f"{run.folder}: was trained on {trained}, not {given}; --data names it")
    is_usual = images.name == config.data
    description = config.description if is_usual else f"Preset {config.preset}, trained on {images.name}"
    network = load_network(task, config, run.folder, stage_name=config.stages[-1].name)
    with new_version(store, name) as (folder, version):
        special_cases = task.special_cases(network)
        save_network(network, folder, size_multiple=config.interface.size_multiple, special_cases=special_cases)
        saved = SavedNetwork(folder)
        check_same(network, saved)
        for case, special in special_cases.items():
            check_same(special, SavedNetwork(folder, case))
        finished = TrainedRun(config, run.folder, images, network, saved)
        metadata = Metadata(
            name=name,
            version=version,
            description=description,
            size=saved.size,
            channels=saved.channels,
            interface=config.interface,
            training=run.record | {"versions": run.record["versions"] | VERSIONS},
            metrics=task.measure(finished),
            files=hash_files(folder),
        )
        write_metadata(folder, metadata)
        figures = task.draw(finished)
        save_figures(folder / "figures", figures)
        card = task.render_card(metadata, figures, command=format_command(config, images.name, name=name))
        (folder / CARD_NAME).write_text(card, encoding="utf-8")
    return store / name / str(version)


def describe_gain(version: Path) -> str:
    """Return what a version makes of noisy images, and a warning about noise that it does not lessen."""
    metrics = read_metadata(version)["metrics"]
    levels: dict[str, dict[str, float]] = metrics.get("by_noise_level") or {"its": metrics}
    worse = [level for level, scores in levels.items() if scores["psnr_db"] <= scores["noisy_psnr_db"]]
    gain = f"{metrics['noisy_psnr_db']:.2f} dB noisy, {metrics['psnr_db']:.2f} dB denoised"
    if not worse:
        return gain
    return f"{gain}; warning: it does not lessen {', '.join(worse)} noise: train it longer, or on others"


def check_same(network: keras.Model, saved: SavedNetwork) -> None:
    """Raise StoreError unless the SavedModel computes what the network computes on random images, up to rounding.

    Every other image is gray if they have several channels; the first half of a batch has white noise of its level.
    """
    rng = np.random.default_rng(0)
    height, width = (length or free for length, free in zip(saved.size, CHECKED_FREE_SIZE, strict=True))
    for count in CHECKED_BATCH_SIZES:
        image = rng.uniform(-0.2, 1.2, (count, height, width, saved.channels)).astype(np.float32)
        levels = rng.uniform(0, 0.3, count).astype(np.float32) if "noise_level" in saved.inputs else None
        if levels is not None:
            for place in range((count + 1) // 2):
                image[place] = rng.normal(0.5, levels[place], image.shape[1:])
        image[1::2] = image[1::2, ..., :1]
        inputs = image if levels is None else {"image": image, "noise_level": levels}
        expected = np.clip(ops.convert_to_numpy(network(inputs, training=False)), 0, 1)
        if not np.allclose(saved.denoise(image, levels), expected, rtol=0, atol=TOLERANCE):
            raise StoreError(f"the SavedModel does not compute what the network computes ({count} images)")
