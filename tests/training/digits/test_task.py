from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.digits.data import CleanImages
from training.digits.task import DigitsTask
from training.errors import DataError
from training.images.mixture import MixedNoise
from training.images.noise import RandomLevelNoise
from training.presets import PRESETS

TASK = DigitsTask()
DIGITS = PRESETS["digits"]


def test_images_are_loaded_at_the_size_of_the_network(blobs_npz: Path, tmp_path: Path) -> None:
    assert TASK.load([str(blobs_npz)], DIGITS).train.shape[1:] == (28, 28, 1)
    pixels = np.zeros((10, 32, 32), np.uint8)
    np.savez(tmp_path / "large.npz", x_train=pixels, x_test=pixels)
    with pytest.raises(DataError, match="the network takes 28x28"):
        TASK.load([str(tmp_path / "large.npz")], DIGITS)


def test_digits_come_from_one_source(blobs_npz: Path) -> None:
    with pytest.raises(DataError, match="digits takes one --data, not 2"):
        TASK.load([str(blobs_npz)] * 2, DIGITS)


def test_weights_serve_the_same_architecture_alone() -> None:
    article = TASK.build_network(PRESETS["article"])
    weights = TASK.build_network(PRESETS["article"]).get_weights()
    for adapted, expected in zip(TASK.adapt_weights(weights, article), weights, strict=True):
        np.testing.assert_array_equal(adapted, expected)
    with pytest.raises(ValueError, match="weight"):
        TASK.adapt_weights(weights, TASK.build_network(PRESETS["dense"]))


@pytest.mark.parametrize("name", ["article", "dense", "digits"])
def test_each_architecture_is_built(name: str) -> None:
    assert TASK.build_network(PRESETS[name]).name == name


def test_a_share_of_the_epochs_is_augmented(blobs: CleanImages) -> None:
    stage = DIGITS.stages[0]
    batches = TASK.batches(replace(DIGITS, batch_size=40, seed=3), stage, blobs)
    assert (batches.batch_size, batches.seed) == (40, 3)
    assert batches.augmented_epochs == pytest.approx(0.6 * 68)
    assert TASK.batches(DIGITS, replace(stage, augmentation=None), blobs).augmented_epochs == 0


def test_validation_has_the_noise_that_is_measured_and_the_same_every_time(blobs: CleanImages) -> None:
    stage = DIGITS.stages[0]
    noisy, clean = TASK.validation(DIGITS, stage, blobs)
    assert np.array_equal(clean, blobs.validation)
    assert stage.measured_noise is not None
    assert np.array_equal(noisy, stage.measured_noise.add_to(clean, np.random.default_rng(1)))


def test_noise_with_a_level_for_the_network_is_refused(blobs: CleanImages) -> None:
    for noise in (RandomLevelNoise(), MixedNoise()):
        with pytest.raises(TypeError, match="noise level"):
            TASK.batches(DIGITS, replace(DIGITS.stages[0], noise=noise), blobs)
