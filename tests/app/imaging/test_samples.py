import numpy as np

from app.imaging.samples import to_levels


def test_values_are_rounded_and_clipped_to_8_bits() -> None:
    values = np.array([[-2, 0.4 / 255, 0.6 / 255, 254.6 / 255, 7]], np.float32)
    np.testing.assert_array_equal(to_levels(values), [[0, 0, 1, 255, 255]])


def test_values_are_rounded_and_clipped_to_16_bits() -> None:
    values = np.array([[-2, 0.4 / 65535, 0.6 / 65535, 65534.6 / 65535, 7]], np.float32)
    np.testing.assert_array_equal(to_levels(values, 16), [[0, 0, 1, 65535, 65535]])
