"""Networks for images of one size, such as digits: how they are trained, measured and published."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from matplotlib.figure import Figure

from training.config import Config, Stage
from training.digits.batches import NoisyBatches
from training.digits.card import render_card
from training.digits.data import CleanImages, load_clean_images
from training.digits.evaluate import evaluate, make_test_pairs
from training.digits.figures import FEATURE_LAYERS, plot_examples, plot_features
from training.digits.networks import NETWORKS
from training.errors import DataError
from training.fit.checkpoints import load_best, load_progresses
from training.fit.figures import plot_loss
from training.images.metrics import count_macs
from training.images.mixture import MixedNoise
from training.images.noise import Images, NoNoise, RandomLevelNoise, UnknownNoise, pair_up
from training.task import TrainedRun

VALIDATION_SEED = 1
EXAMPLES = 10


class DigitsTask:
    """The task of the presets for digits, also for other images in a folder."""

    render_card = staticmethod(render_card)

    def load(self, sources: Sequence[str], config: Config) -> CleanImages:
        if len(sources) > 1:
            raise DataError(f"{config.preset} takes one --data, not {len(sources)}")
        height, width = self.build_network(config).input_shape[1:3]
        return load_clean_images(sources[0], height=height, width=width, seed=config.seed)

    def build_network(self, config: Config) -> keras.Model:
        return NETWORKS[config.architecture]()

    def adapt_weights(self, weights: Sequence[Images], network: keras.Model) -> list[Images]:
        network.set_weights(weights)  # which raises for other shapes
        return list(weights)

    def special_cases(self, _network: keras.Model) -> dict[str, keras.Model]:
        return {}

    def batches(self, config: Config, stage: Stage, images: CleanImages) -> NoisyBatches:
        if isinstance(stage.noise, RandomLevelNoise | MixedNoise | UnknownNoise):
            raise TypeError(f"stage {stage.name} of {config.preset} is for networks that take a noise level")
        return NoisyBatches(
            images.train,
            stage.noise,
            batch_size=config.batch_size,
            seed=config.seed,
            augmentation=stage.augmentation,
            augmented_epochs=stage.augmentation.epochs_share * stage.epochs if stage.augmentation else 0,
        )

    def prepare(self, _network: keras.Model, _stage: Stage) -> None:
        """Freeze nothing: every stage trains the whole network."""

    def validation(self, _config: Config, stage: Stage, images: CleanImages) -> tuple[Images, Images]:
        return pair_up(images.validation, stage.test_noise, np.random.default_rng(VALIDATION_SEED))

    def measure(self, run: TrainedRun[CleanImages]) -> dict[str, Any]:
        """Measure on test images, and add the lowest validation loss of each stage."""
        stages = run.config.stages
        noise = stages[-1].test_noise
        progresses = load_progresses(run.folder, stages)
        return {
            "protocol": f"{run.images.name} test, {noise}",
            **evaluate(run.saved.denoise, run.images.test, noise),
            "test_images": len(run.images.test),
            "parameters": run.network.count_params(),
            "mac_per_image": count_macs(run.network),
            "best_validation_bce": {name: progress.best_loss for name, progress in progresses.items()},
        }

    def draw(self, run: TrainedRun[CleanImages]) -> dict[str, Figure]:
        stages = run.config.stages
        noisy, clean = (part[:EXAMPLES] for part in make_test_pairs(run.images.test, stages[-1].test_noise))
        denoised = run.saved.denoise(noisy)
        figures = {
            "examples": plot_examples({"clean": clean, "noisy": np.clip(noisy, 0, 1), "denoised": denoised}),
            "loss": plot_loss(stages, load_progresses(run.folder, stages)),
        }
        if any(isinstance(layer, FEATURE_LAYERS) for layer in run.network.layers):
            figures["features"] = plot_features(run.network, noisy[0])
        if isinstance(stages[0].noise, NoNoise):
            plain = self.build_network(run.config)
            load_best(run.folder / stages[0].name, plain)
            copied = ops.convert_to_numpy(plain(clean, training=False))
            figures["reconstructions"] = plot_examples({"clean": clean, "copied by the plain autoencoder": copied})
        return figures

    def assess(self, folder: Path, source: str, runs: Path, *, limit: int | None) -> str:
        from training.digits.assess import assess  # needs libraries that only developers install

        return assess(folder, load_clean_images(source), runs=runs, limit=limit)
