"""From a finished run to a version in the store: save, check, measure, draw, describe."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from matplotlib.figure import Figure

from training.config import Config
from training.digits.card import render_model_card
from training.digits.data import CleanImages
from training.digits.task import draw_digit_run, measure_digit_run
from training.errors import RunError, StoreError
from training.fit.checkpoints import load_progress
from training.fit.provenance import format_command, restore_config
from training.fit.train import load_network
from training.photos.card import render_photo_card
from training.photos.data import CleanPhotos
from training.photos.task import draw_photo_run, measure_photo_run
from training.store.card_section import CARD_NAME
from training.store.export import VERSIONS, SavedNetwork, save_network
from training.store.figures import save_figures
from training.store.metadata import Metadata, write_metadata
from training.store.versions import hash_files, new_version

CHECKED_BATCH_SIZES = (1, 3, 8)
CHECKED_FREE_SIZE = (24, 40)  # height and width that a network of any size is checked with
# What float32 sums in another order may differ by.
TOLERANCE = 1e-5

# What is measured, drawn and said of a run.
Product = tuple[Callable[..., dict[str, Any]], Callable[..., dict[str, Figure]], Callable[..., str]]
DIGIT_PRODUCT: Product = measure_digit_run, draw_digit_run, render_model_card
PHOTO_PRODUCT: Product = measure_photo_run, draw_photo_run, render_photo_card


def read_run(run_dir: Path) -> tuple[dict[str, Any], Config]:
    """Return run.json and the config that it describes.

    Raises:
        RunError: there is no run, its preset has other stages now, or its last one has no weights yet.
    """
    path = run_dir / "run.json"
    if not path.exists():
        raise RunError(f"{run_dir}: there is no run in it")
    run = json.loads(path.read_text())
    config = restore_config(run)
    if not load_progress(run_dir / config.stages[-1].name).epochs:
        raise RunError(f"{run_dir}: no epoch of stage {config.stages[-1].name} is finished yet; train with --resume")
    return run, config


def publish(run_dir: Path, images: CleanImages | CleanPhotos, *, store: Path, name: str) -> Path:
    """Write the best weights of the run's last stage as the next version of `name`, and return its folder.

    Raises:
        RunError: the run has no weights, or was trained on other data.
        StoreError: the store cannot be written, or the SavedModel does not compute what the network computes.
    """
    run, config = read_run(run_dir)
    if (run["data"], config.takes_pairs) != (images.name, images.are_pairs):
        trained, given = (
            f"{'pairs of ' if are_pairs else ''}{name}"
            for name, are_pairs in ((run["data"], config.takes_pairs), (images.name, images.are_pairs))
        )
        raise RunError(f"{run_dir}: was trained on {trained}, not {given}; --data names it")
    network = load_network(config, run_dir, stage_name=config.stages[-1].name)
    measure, draw, render_card = PHOTO_PRODUCT if isinstance(images, CleanPhotos) else DIGIT_PRODUCT
    with new_version(store, name) as (folder, version):
        save_network(network, folder, size_multiple=config.interface.size_multiple)
        saved = SavedNetwork(folder)
        check_same(network, saved)
        metadata = Metadata(
            name=name,
            version=version,
            description=_describe_network(config, images.name),
            size=saved.size,
            interface=config.interface,
            training=run | {"versions": run["versions"] | VERSIONS},
            metrics=measure(network, saved, images, config=config, run_dir=run_dir),
            files=hash_files(folder),
        )
        write_metadata(folder, metadata)
        figures = draw(network, saved, images, config=config, run_dir=run_dir)
        save_figures(folder / "figures", figures)
        card = render_card(metadata, command=format_command(config, images.name), figures=figures)
        (folder / CARD_NAME).write_text(card, encoding="utf-8")
    return store / name / str(version)


def _describe_network(config: Config, data_name: str) -> str:
    """Return the preset's own line only for the data that it is about."""
    return config.description if data_name == config.data else f"Preset {config.preset}, trained on {data_name}"


def check_same(network: keras.Model, saved: SavedNetwork) -> None:
    """Compare the network in memory with its SavedModel on random images.

    Raises:
        StoreError: an output differs by more than rounding, or is not finite.
    """
    rng = np.random.default_rng(0)
    height, width = (length or free for length, free in zip(saved.size, CHECKED_FREE_SIZE, strict=True))
    for count in CHECKED_BATCH_SIZES:
        image = rng.uniform(-0.2, 1.2, (count, height, width, 1)).astype(np.float32)
        levels = rng.uniform(0, 0.3, count).astype(np.float32) if "noise_level" in saved.inputs else None
        inputs = image if levels is None else {"image": image, "noise_level": levels}
        expected = np.clip(ops.convert_to_numpy(network(inputs, training=False)), 0, 1)
        if not np.allclose(saved.denoise(image, levels), expected, rtol=0, atol=TOLERANCE):
            raise StoreError(f"the SavedModel does not compute what the network computes ({count} images)")
