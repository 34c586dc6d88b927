import numpy as np
import pytest

from training.images.luma import LUMA_NOISE, LUMA_WEIGHTS, is_in_colour, measure_level
from training.images.noise import Images

CLEAN = np.random.default_rng(0).random((60, 60, 3), dtype=np.float32)
GRAY = np.repeat(CLEAN[..., :1], 3, axis=-1)


def noise(*shape: int, level: float) -> Images:
    return np.random.default_rng(1).normal(0, level, shape).astype(np.float32)


def test_a_gray_picture_of_any_luma_keeps_its_brightness() -> None:
    assert LUMA_WEIGHTS.sum() == pytest.approx(1)


def test_white_noise_has_the_level_of_each_channel() -> None:
    assert measure_level(CLEAN + noise(60, 60, 3, level=0.1), CLEAN) == pytest.approx(0.1, rel=0.05)


def test_noise_that_channels_share_has_a_higher_level_since_luma_does_not_average_it_out() -> None:
    assert measure_level(CLEAN + noise(60, 60, 1, level=0.1), CLEAN) == pytest.approx(0.1 / LUMA_NOISE, rel=0.05)


@pytest.mark.parametrize("channels", [1, 3])
def test_in_a_gray_picture_the_level_is_the_standard_deviation(channels: int) -> None:
    clean = GRAY[..., :channels]
    assert measure_level(clean + noise(60, 60, 1, level=0.1), clean) == pytest.approx(0.1, rel=0.05)


def test_a_picture_is_in_colour_if_its_channels_differ_anywhere() -> None:
    assert not is_in_colour(GRAY)
    stamped = GRAY.copy()
    stamped[0, 0, 2] += 0.01
    assert is_in_colour(stamped)
