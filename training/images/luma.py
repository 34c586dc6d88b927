"""Luma, of two kinds, and the noise level that is measured in one of them."""

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.float32]

GRAY_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)  # BT.601: how a picture looks in gray
# White noise is nearly as weak in this luma as in the mean of the channels.
LUMA_WEIGHTS = np.array([0.3, 0.4, 0.3], np.float32)
LUMA_NOISE = float(np.linalg.norm(LUMA_WEIGHTS))  # the level of white noise in luma, where that of each channel is 1


def is_in_colour(image: NDArray[np.float32 | np.uint8]) -> bool:
    """Return whether the channels of (H, W, 3) differ."""
    return bool((image != image[..., :1]).any())


def measure_level(noisy: Images, clean: Images) -> float:
    """Return the level of the noise in an image (H, W, C): its standard deviation, in [0, 1] units.

    That of colour is the level of white noise, of equal strength in all channels, that would put the same amount of
    noise into luma.
    """
    noise = noisy - clean
    if is_in_colour(noisy):
        return float(np.std(noise @ LUMA_WEIGHTS)) / LUMA_NOISE
    return float(np.std(noise[..., 0]))
