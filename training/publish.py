"""From a finished run to a version in the store: save, check, measure, draw, describe."""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from training.checkpoints import load_progress
from training.config import Config
from training.data import CleanImages
from training.errors import RunError, StoreError
from training.evaluate import evaluate, make_noisy
from training.export import VERSIONS, SavedNetwork, save_network
from training.figures import plot_examples, plot_features, plot_loss, save_figures
from training.metadata import build_metadata, write_metadata
from training.metrics import count_macs
from training.model_card import FILE_NAME, render_model_card
from training.noise import NoNoise
from training.provenance import format_command, restore_config
from training.store import new_version
from training.train import load_network

EXAMPLES = 10
CHECKED_BATCH_SIZES = (1, 3, 8)
# What float32 sums in another order may differ by.
TOLERANCE = 1e-5


def read_run(run_dir: Path) -> tuple[dict[str, Any], Config]:
    """Return run.json and the config that it describes.

    Raises:
        RunError: there is no run, or its last stage has no weights yet.
    """
    path = run_dir / "run.json"
    if not path.exists():
        raise RunError(f"{run_dir}: there is no run in it")
    run = json.loads(path.read_text())
    config = restore_config(run)
    if not load_progress(run_dir / config.stages[-1].name).epochs:
        raise RunError(f"{run_dir}: no epoch of stage {config.stages[-1].name} is finished yet; train with --resume")
    return run, config


def publish(run_dir: Path, images: CleanImages, *, store: Path, name: str) -> Path:
    """Write the best weights of the run's last stage as the next version of `name`, and return its folder.

    Raises:
        RunError: the run has no weights, or was trained on other data.
        StoreError: the store cannot be written, or the SavedModel does not compute what the network computes.
    """
    run, config = read_run(run_dir)
    if run["data"] != images.name:
        raise RunError(f"{run_dir}: was trained on {run['data']}, not {images.name}; --data names it")
    network = load_network(config, run_dir, stage_name=config.stages[-1].name)
    with new_version(store, name) as (folder, version):
        save_network(network, folder, size_multiple=config.interface.size_multiple)
        saved = SavedNetwork(folder)
        check_same(network, saved)
        metadata = build_metadata(
            folder,
            name=name,
            version=version,
            description=_describe_network(config, images.name),
            size=network.input_shape[1:3],
            interface=config.interface,
            training=run | {"versions": run["versions"] | VERSIONS},
            metrics=_measure(network, saved, images, config=config, run_dir=run_dir),
        )
        write_metadata(folder, metadata)
        figures = _draw(network, saved, images, config=config, run_dir=run_dir)
        save_figures(folder / "figures", figures)
        card = render_model_card(metadata, command=format_command(config, images.name), figures=figures)
        (folder / FILE_NAME).write_text(card, encoding="utf-8")
    return store / name / str(version)


def _describe_network(config: Config, data_name: str) -> str:
    """Return the preset's own line only for the data that it is about."""
    return config.description if data_name == "MNIST" else f"Preset {config.preset}, trained on {data_name}"


def check_same(network: keras.Model, saved: SavedNetwork) -> None:
    """Compare the network in memory with its SavedModel on random images.

    Raises:
        StoreError: an output differs by more than rounding, or is not finite.
    """
    rng = np.random.default_rng(0)
    height, width = network.input_shape[1:3]
    for count in CHECKED_BATCH_SIZES:
        image = rng.uniform(-0.2, 1.2, (count, height, width, 1)).astype(np.float32)
        expected = np.clip(ops.convert_to_numpy(network(image, training=False)), 0, 1)
        if not np.allclose(saved.denoise(image), expected, rtol=0, atol=TOLERANCE):
            raise StoreError(f"the SavedModel does not compute what the network computes ({count} images)")


def _measure(
    network: keras.Model, saved: SavedNetwork, images: CleanImages, *, config: Config, run_dir: Path
) -> dict[str, Any]:
    """Return the metrics of metadata.json: on test images through the SavedModel, and each stage's validation loss."""
    noise = config.stages[-1].test_noise
    return {
        "protocol": f"{images.name} test, {noise}",
        **evaluate(saved.denoise, images.test, noise),
        "test_images": len(images.test),
        "parameters": network.count_params(),
        "mac_per_image": count_macs(network),
        "best_validation_bce": {stage.name: load_progress(run_dir / stage.name).best_loss for stage in config.stages},
    }


def _draw(
    network: keras.Model, saved: SavedNetwork, images: CleanImages, *, config: Config, run_dir: Path
) -> dict[str, Any]:
    """Return the figures by name."""
    clean = images.test[:EXAMPLES]
    noisy = make_noisy(images.test, config.stages[-1].test_noise)[:EXAMPLES]
    progresses = [load_progress(run_dir / stage.name) for stage in config.stages]
    figures = {
        "examples": plot_examples({"clean": clean, "noisy": np.clip(noisy, 0, 1), "denoised": saved.denoise(noisy)}),
        "loss": plot_loss(config.stages, progresses),
        "features": plot_features(network, noisy[0]),
    }
    if isinstance(config.stages[0].noise, NoNoise):
        plain = load_network(config, run_dir, stage_name=config.stages[0].name)
        copied = ops.convert_to_numpy(plain(clean, training=False))
        figures["reconstructions"] = plot_examples({"clean": clean, "copied by the plain autoencoder": copied})
    return figures
