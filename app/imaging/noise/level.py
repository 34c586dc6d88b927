"""Estimate the noise level of a picture, whatever its noise: white, or that of a camera or scanner."""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.imaging.noise.blocks import ReadRows, Values, describe_blocks
from app.imaging.noise.white import estimate_white_noise

NETWORK = Path(__file__).with_name("network.npz")
WHITE_8BIT = 10.0  # from this level on, the estimate for white noise holds: others never look so strong to it
WHITE_RATIO = 0.6  # the estimate for white noise holds if it is at least so much of the network's
NOTHING_8BIT = 0.3  # blocks that vary less hold no noise
RESOLUTION_8BIT = 1.0  # the network hardly tells smaller levels apart
MARGIN = 1.15  # a level that is too low costs more than one too high, and noise of unknown kinds is estimated too low
MARGIN_8BIT = (1.0, 2.0)  # between these levels, the margin grows from nothing: most clean pictures are below


def estimate_noise_level(read_rows: ReadRows, height: int, width: int) -> float:
    """Estimate the standard deviation of the noise in one channel, in units of the [0, 1] range.

    There are two estimates: one for white noise, which is exact for such noise and misses what neighbouring pixels
    share, and that of a small network that knows cameras and scanners. The first holds where the two are close, and
    where it finds strong noise; the second gets a margin.

    Args:
        read_rows: returns the rows from one (included) to another (excluded), shape (rows, width).
        height: of the picture, in pixels.
        width: likewise.

    Returns:
        The estimate; 0 if the picture is too small for one.
    """
    white = estimate_white_noise(read_rows, height, width)
    described = describe_blocks(read_rows, height, width)
    if described is None or described[0] < np.log(NOTHING_8BIT):
        return white
    coarse = estimate_from_blocks(described)
    return white if white * 255 >= WHITE_8BIT or white >= WHITE_RATIO * coarse else _add_margin(coarse)


def estimate_from_blocks(described: Values) -> float:
    """Return the network's estimate, in units of the [0, 1] range, from what ``describe_blocks`` returns."""
    network = _load_network()
    hidden = np.maximum((described - network["mean"]) / network["deviation"] @ network["hidden"] + network["bias"], 0)
    log_level = described[0] + hidden @ network["output"] + network["offset"]
    return float(np.sqrt(max(np.exp(2 * log_level) - RESOLUTION_8BIT**2, 0)) / 255)


def _add_margin(level: float) -> float:
    return level * float(np.interp(level * 255, MARGIN_8BIT, (1, MARGIN)))


@cache
def _load_network() -> dict[str, NDArray[np.float32]]:
    with np.load(NETWORK) as arrays:
        return dict(arrays)
