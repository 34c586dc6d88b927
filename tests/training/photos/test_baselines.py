import numpy as np
import pytest

from tests.training.drawing import draw_blobs
from training.images.metrics import psnr_db
from training.photos.baselines import PHOTO_BASELINES
from training.photos.evaluate import Protocol

DISC = np.rint(draw_blobs(1, size=64)[0, ..., 0] * 255).astype(np.uint8)


@pytest.mark.parametrize("level", [15, 50])
@pytest.mark.parametrize("name", [name for name in PHOTO_BASELINES if name != "noisy input"])
def test_a_filter_makes_a_noisy_image_better_at_every_level(name: str, level: int) -> None:
    clean, noisy, sigma = Protocol(level, rounded=False).make_noisy(DISC)
    denoised = PHOTO_BASELINES[name](noisy, sigma)
    assert denoised.dtype == np.float32
    before, after = (psnr_db(clean[None, ..., None], image[None, ..., None]) for image in (noisy, denoised))
    assert after > before + 3


def test_the_noisy_input_is_left_as_it_is() -> None:
    noisy = Protocol(25, rounded=False).make_noisy(DISC).noisy
    assert np.array_equal(PHOTO_BASELINES["noisy input"](noisy, 0.1), noisy)
