from dataclasses import dataclass

import numpy as np
import pytest

from app.imaging.samples import FloatImage
from app.inference.denoiser import NoiseLevels
from app.inference.runtimes.by_colour import ByColour


@dataclass
class Constant:
    """Returns images of one value, and remembers the levels."""

    value: float
    levels: NoiseLevels | None = None

    def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
        self.levels = noise_levels
        return np.full_like(images, self.value)


MIXED, GRAY, COLOURED = 0.1, 0.2, 0.3


@pytest.fixture
def network() -> ByColour:
    return ByColour(Constant(MIXED), gray=Constant(GRAY), coloured=Constant(COLOURED))


def draw_gray(count: int) -> FloatImage:
    values = np.random.default_rng(0).random((count, 4, 5, 1), dtype=np.float32)
    return np.repeat(values, 3, axis=-1)


def use(network: ByColour, images: FloatImage) -> float:
    denoised = network.denoise(images, np.full(len(images), 0.5, np.float32))
    assert denoised.shape == images.shape
    assert len(np.unique(denoised)) == 1
    return float(denoised[0, 0, 0, 0])


def test_gray_images_go_through_the_network_for_gray(network: ByColour) -> None:
    assert use(network, draw_gray(3)) == pytest.approx(GRAY)


@pytest.mark.parametrize("place", [(0, 0), (3, 4)], ids=["first pixel", "last pixel"])
@pytest.mark.parametrize("channel", [0, 1, 2])
def test_one_pixel_of_colour_is_enough(network: ByColour, place: tuple[int, int], channel: int) -> None:
    images = draw_gray(1)
    images[(0, *place, channel)] += 0.001
    assert use(network, images) == pytest.approx(COLOURED)


def test_a_batch_of_both_goes_through_the_network_for_both(network: ByColour) -> None:
    images = draw_gray(3)
    images[1, ..., 0] = 0
    assert use(network, images) == pytest.approx(MIXED)


def test_the_levels_come_along() -> None:
    gray = Constant(GRAY)
    levels = np.array([0.1, 0.2], np.float32)
    ByColour(Constant(MIXED), gray=gray, coloured=Constant(COLOURED)).denoise(draw_gray(2), levels)
    assert gray.levels is levels
