import math
from functools import partial

import numpy as np
import pytest

from tests.training.drawing import draw_blobs
from training.digits.classifier import load_classifier, read_digits
from training.digits.comparison import NOISY_INPUT, Judge, as_method, compare, tune_baselines
from training.images.noise import GaussianNoise, Images, NoNoise

CLEAN = draw_blobs(5)
NOISES = (NoNoise(), GaussianNoise(0.4))


def test_methods_see_the_same_noisy_images_and_are_scored_by_noise() -> None:
    seen: dict[str, list[Images]] = {"one": [], "other": []}

    def keep(name: str, noisy: Images) -> Images:
        seen[name].append(noisy)
        return noisy

    methods = {name: as_method(partial(keep, name)) for name in seen}
    results = compare(methods, Judge(CLEAN, None, load_classifier()), NOISES)
    assert list(results) == [NOISY_INPUT, "one", "other"]
    assert results["one"] == results["other"] == results[NOISY_INPUT]
    assert all(np.array_equal(one, other) for one, other in zip(*seen.values(), strict=True))
    assert results["one"][NOISES[0]].psnr_db == math.inf
    assert results["one"][NOISES[1]].psnr_db < 13
    assert results["one"][NOISES[1]].accuracy is None


def test_accuracy_is_the_share_that_the_classifier_reads_as_labelled() -> None:
    classifier = load_classifier()
    labels = read_digits(classifier, CLEAN).astype(np.uint8)
    labels[0] += 1
    assert Judge(CLEAN, labels, classifier).score(CLEAN).accuracy == pytest.approx(0.8)


def test_a_network_gets_bounded_batches() -> None:
    sizes: list[int] = []

    def denoise(noisy: Images) -> Images:
        sizes.append(len(noisy))
        return noisy

    many = np.zeros((1001, 2, 2, 1), np.float32)
    assert as_method(denoise)(many, NOISES[0]).shape == many.shape
    assert sizes == [500, 500, 1]


def test_classical_filters_are_tuned_for_the_noise_that_they_get() -> None:
    median = tune_baselines(CLEAN)["median filter"]
    assert np.abs(median(CLEAN, NoNoise()) - CLEAN).max() < 1 / 255
    assert np.abs(median(CLEAN, GaussianNoise(0.4)) - CLEAN).max() > 1 / 255
