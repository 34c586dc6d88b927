"""What neighbouring pixels of a noisy photograph tell where there is no clean one."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from training.errors import DataError
from training.images.noise import Images

BLOCK_PX = 16
BRIGHTNESSES = 8
FLAT_SHARE = 0.2  # of the blocks of each brightness: those that hold the least structure
MIN_INDEPENDENCE = 0.7  # white noise has 0.9 to 1, also after JPEG of good quality 0.8; a camera's about 0.45
MIN_LEVEL_8BIT = 1.0  # below it, rounding to 8 bits is as strong as the noise
NEGLIGIBLE = 1e-9  # a variance far below that of rounding
# The pairs of neighbours in a 2x2 cell, whose pixels are numbered row by row.
NEIGHBOURS = np.array([(0, 1), (1, 0), (0, 2), (2, 0), (1, 3), (3, 1), (2, 3), (3, 2)])


class NeighbourNoise(NamedTuple):
    """The noise of one photograph.

    ``level`` is its standard deviation in [0, 1] units. ``independence`` is the variance of the difference of
    neighbours, divided by that of pixels two apart: 1 where neighbours share no noise, less where they do.
    """

    level: float
    independence: float


def measure_noise(image: Images) -> NeighbourNoise:
    """Measure the noise of an image (H, W, C) in [0, 1], at least 16 pixels high and wide, where it shows little else.

    Pixels two apart differ more than neighbours do if neighbours share noise, and where there is structure: so the
    blocks are chosen, at each of eight brightnesses, in which the former differ the least.
    """
    height, width = (length // BLOCK_PX * BLOCK_PX for length in image.shape[:2])
    cells = image[:height, :width].reshape(height // BLOCK_PX, BLOCK_PX, width // BLOCK_PX, BLOCK_PX, -1)
    blocks = cells.transpose(0, 2, 4, 1, 3).reshape(-1, BLOCK_PX, BLOCK_PX)
    near, far = _measure_variance(blocks, apart_px=1), _measure_variance(blocks, apart_px=2)
    levels, ratios = [], []
    for group in np.array_split(np.argsort(blocks.mean(axis=(1, 2))), BRIGHTNESSES):
        flat = group[np.argsort(far[group])][: max(1, int(len(group) * FLAT_SHARE))]
        if len(flat):
            levels.append(near[flat].mean())
            ratios.append(near[flat].mean() / max(far[flat].mean(), NEGLIGIBLE))
    return NeighbourNoise(float(np.sqrt(np.mean(levels))), float(np.percentile(ratios, 75)))


def require_independence(noises: Sequence[NeighbourNoise]) -> None:
    """Raise DataError unless neighbouring pixels of most photographs share little of their noise, and have some."""
    level = float(np.median([noise.level for noise in noises])) * 255
    independence = float(np.median([noise.independence for noise in noises]))
    if level < MIN_LEVEL_8BIT:
        raise DataError(
            f"hardly any noise is in these pictures: {level:.1f} on the 8-bit scale, at least {MIN_LEVEL_8BIT:g} is"
            " needed"
        )
    if independence < MIN_INDEPENDENCE:
        raise DataError(
            f"neighbouring pixels of these pictures share their noise ({independence:.2f}, at least"
            f" {MIN_INDEPENDENCE:g} is needed; 1 is independent), as a camera's JPEG files do: nothing can be learned"
            " without clean pictures. Use unprocessed files, or pictures that were scaled down by half"
        )


def split_neighbours(image: Images, rng: np.random.Generator) -> tuple[Images, Images]:
    """Return two images (H / 2, W / 2, C): of each 2x2 cell of an image (H, W, C), two neighbours drawn at random.

    They show the same, with noise that is independent if that of neighbours is.
    Source: T. Huang et al., "Neighbor2Neighbor: Self-supervised denoising from single noisy images", CVPR 2021.
    """
    height, width = (length // 2 for length in image.shape[:2])
    cells = image[: 2 * height, : 2 * width].reshape(height, 2, width, 2, -1).transpose(0, 2, 1, 3, 4)
    cells = cells.reshape(height * width, 4, -1)
    chosen = NEIGHBOURS[rng.integers(len(NEIGHBOURS), size=height * width)]
    places = np.arange(height * width)
    first, second = (cells[places, chosen[:, side]].reshape(height, width, -1) for side in (0, 1))
    return first, second


def _measure_variance(blocks: Images, *, apart_px: int) -> Images:
    """Return half the mean square of the differences between pixels so far apart, in both directions, (N,)."""
    rows = np.square(blocks[:, apart_px:] - blocks[:, :-apart_px]).mean(axis=(1, 2))
    columns = np.square(blocks[:, :, apart_px:] - blocks[:, :, :-apart_px]).mean(axis=(1, 2))
    return np.asarray((rows + columns) / 4)
