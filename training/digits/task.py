"""What a finished run of a network for images of one size is measured with, and what is drawn of it."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from training.config import Config
from training.digits.data import CleanImages
from training.digits.evaluate import evaluate, make_test_pairs
from training.digits.figures import FEATURE_LAYERS, plot_examples, plot_features
from training.fit.checkpoints import load_progress
from training.fit.figures import plot_loss
from training.fit.train import load_network
from training.images.metrics import count_macs
from training.images.noise import NoNoise
from training.store.export import SavedNetwork

EXAMPLES = 10


def measure_digit_run(
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


def draw_digit_run(
    network: keras.Model, saved: SavedNetwork, images: CleanImages, *, config: Config, run_dir: Path
) -> dict[str, Any]:
    """Return the figures by name."""
    noisy, clean = (part[:EXAMPLES] for part in make_test_pairs(images.test, config.stages[-1].test_noise))
    progresses = [load_progress(run_dir / stage.name) for stage in config.stages]
    figures = {
        "examples": plot_examples({"clean": clean, "noisy": np.clip(noisy, 0, 1), "denoised": saved.denoise(noisy)}),
        "loss": plot_loss(config.stages, progresses),
    }
    if any(isinstance(layer, FEATURE_LAYERS) for layer in network.layers):
        figures["features"] = plot_features(network, noisy[0])
    if isinstance(config.stages[0].noise, NoNoise):
        plain = load_network(config, run_dir, stage_name=config.stages[0].name)
        copied = ops.convert_to_numpy(plain(clean, training=False))
        figures["reconstructions"] = plot_examples({"clean": clean, "copied by the plain autoencoder": copied})
    return figures
