"""Photographs of digits, made in code, can be read after the steps of the service."""

import numpy as np
import pytest

from app.imaging.fit import fit_image
from app.settings import MODEL_STORE, Settings
from benchmarks.studies.real_digits import Picture, make_pictures
from tests.app.inference.runtimes.networks import loader
from training.digits.classifier import load_classifier, read_digits


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    return list(make_pictures(40, seed=20))


def test_most_photographed_digits_can_be_read_after_the_service(pictures: list[Picture]) -> None:
    fitted = [
        fit_image(picture.decode(), size=(28, 28), network_polarity="light-on-dark", fit="mnist", polarity="auto")
        for picture in pictures
    ]
    images = np.stack([image.image for image in fitted])[..., np.newaxis]
    denoised = loader(Settings().runtime)(MODEL_STORE / "digits" / "2").denoise(images)
    read = read_digits(load_classifier(), denoised)
    assert np.mean(read == [picture.digit for picture in pictures]) >= 0.9


def test_ink_on_paper_is_judged_dark_on_light(pictures: list[Picture]) -> None:
    seen = [
        fit_image(
            picture.decode(), size=(28, 28), network_polarity="light-on-dark", fit="mnist", polarity="auto"
        ).polarity
        for picture in pictures
    ]
    assert seen.count("dark-on-light") >= 38
