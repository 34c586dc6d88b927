import numpy as np
import pytest

from app.imaging.samples import STRIP_ROWS, is_gray, to_levels


def test_values_are_rounded_and_clipped_to_8_bits() -> None:
    values = np.array([[-2, 0.4 / 255, 0.6 / 255, 254.6 / 255, 7]], np.float32)
    np.testing.assert_array_equal(to_levels(values), [[0, 0, 1, 255, 255]])


def test_values_are_rounded_and_clipped_to_16_bits() -> None:
    values = np.array([[-2, 0.4 / 65535, 0.6 / 65535, 65534.6 / 65535, 7]], np.float32)
    np.testing.assert_array_equal(to_levels(values, 16), [[0, 0, 1, 65535, 65535]])


@pytest.mark.parametrize("channel", [0, 1, 2])
@pytest.mark.parametrize("row", [0, STRIP_ROWS, 2 * STRIP_ROWS])
def test_one_sample_of_one_channel_makes_colour(row: int, channel: int) -> None:
    samples = np.full((2 * STRIP_ROWS + 1, 5, 3), 7, np.uint8)
    assert is_gray(samples)
    samples[row, 4, channel] = 8
    assert not is_gray(samples)
