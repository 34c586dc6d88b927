import numpy as np
import pytest

from tests.training.drawing import draw_blobs
from training.images.files import to_8_bit
from training.images.metrics import psnr_db
from training.photos.baselines import PHOTO_BASELINES
from training.photos.evaluate import Protocol

DISC = to_8_bit(draw_blobs(1, size=64)[0] * np.array([0.9, 0.7, 0.4], np.float32))


@pytest.mark.parametrize("in_colour", [False, True], ids=["gray", "colour"])
@pytest.mark.parametrize("level", [15, 50])
@pytest.mark.parametrize("name", [name for name in PHOTO_BASELINES if name != "noisy input"])
def test_a_filter_makes_a_noisy_image_better_at_every_level(name: str, level: int, in_colour: bool) -> None:
    clean, noisy, sigma = Protocol(level, rounded=False, in_colour=in_colour).make_noisy(DISC)
    denoised = PHOTO_BASELINES[name](noisy, sigma)
    assert denoised.dtype == np.float32
    assert denoised.shape == clean.shape
    before, after = (psnr_db(clean[None], image[None]) for image in (noisy, denoised))
    assert after > before + 3


def test_the_noisy_input_is_left_as_it_is() -> None:
    noisy = Protocol(25, rounded=False).make_noisy(DISC).noisy
    assert np.array_equal(PHOTO_BASELINES["noisy input"](noisy, 0.1), noisy)
