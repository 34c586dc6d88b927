from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.digits.classifier import build_classifier, load_classifier, read_digits, save_classifier, train_classifier
from training.digits.data import CleanImages, Labels
from training.errors import DataError


def test_the_committed_classifier_gives_one_digit_an_image() -> None:
    read = read_digits(load_classifier(), np.zeros((501, 28, 28, 1), np.float32))
    assert read.shape == (501,)
    assert set(read.tolist()) <= set(range(10))


def test_saved_weights_are_loaded(tmp_path: Path) -> None:
    network = build_classifier()
    save_classifier(network, tmp_path / "classifier.npz")
    for saved, weight in zip(
        load_classifier(tmp_path / "classifier.npz").get_weights(), network.get_weights(), strict=True
    ):
        np.testing.assert_allclose(saved, weight, rtol=1e-3, atol=1e-6)


def test_it_learns_what_the_labels_say(blobs: CleanImages) -> None:
    def label(images: np.ndarray) -> np.ndarray:
        return np.asarray(images[:, :, :14].sum(axis=(1, 2, 3)) > images[:, :, 14:].sum(axis=(1, 2, 3)), np.uint8)

    labels = Labels(label(blobs.train), label(blobs.validation), label(blobs.test))
    network = train_classifier(replace(blobs, labels=labels), epochs=40)
    assert np.mean(read_digits(network, blobs.train) == labels.train) > 0.8


def test_without_labels_there_is_nothing_to_learn(blobs: CleanImages) -> None:
    with pytest.raises(DataError, match="needs the labels"):
        train_classifier(blobs)
