"""Images that stand in for digits: bright discs on black."""

import numpy as np

from training.noise import Images


def draw_blobs(count: int, *, size: int = 28) -> Images:
    """Return `count` different discs, float32 (count, size, size, 1) in [0, 1]."""
    rng = np.random.default_rng(5)
    row, column = rng.uniform(size / 4, size * 3 / 4, (2, count, 1, 1))
    radius = rng.uniform(size / 8, size / 4, (count, 1, 1))
    y, x = np.mgrid[:size, :size]
    discs = np.clip(radius + 0.5 - np.hypot(y - row, x - column), 0, 1)
    return np.asarray(discs[..., None], np.float32)
