"""Slightly warped clean images, so that a network does not memorise them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.images.noise import Images


@dataclass(frozen=True)
class RandomAffine:
    """Rotates, scales, shears and shifts a ``share`` of the images by random amounts up to these.

    After ``epochs_share`` of a stage's epochs the images stay as they are.
    """

    share: float = 0.5
    rotation_rad: float = 0.14
    scale: float = 0.07
    shear: float = 0.08
    shift_px: float = 0.8
    epochs_share: float = 0.6

    def apply_to(self, clean: Images, rng: np.random.Generator) -> Images:
        """Return a warped copy of NHWC images; the outside is black."""
        chosen = np.flatnonzero(rng.random(len(clean)) < self.share)
        angle = rng.uniform(-self.rotation_rad, self.rotation_rad, len(chosen))
        scale_x, scale_y = 1 + rng.uniform(-self.scale, self.scale, (2, len(chosen)))
        shear = rng.uniform(-self.shear, self.shear, len(chosen))
        shift = rng.uniform(-self.shift_px, self.shift_px, (len(chosen), 2))
        matrix = np.array(
            [
                [np.cos(angle) * scale_x, shear - np.sin(angle) * scale_y],
                [np.sin(angle) * scale_x, np.cos(angle) * scale_y],
            ]
        )
        bent = clean.copy()
        bent[chosen] = sample_affine(clean[chosen], matrix.transpose(2, 0, 1), shift)
        return bent


def sample_affine(images: Images, matrices: NDArray[np.float64], shifts: NDArray[np.float64]) -> Images:
    """Sample each image (N, H, W, C) bilinearly at matrix @ (x, y) + shift, in pixels from its centre.

    ``matrices`` are (N, 2, 2) and ``shifts`` (N, 2), in the order x, y.
    """
    count, height, width, channels = images.shape
    y, x = np.mgrid[:height, :width].reshape(2, -1)
    centre = np.array([[(width - 1) / 2], [(height - 1) / 2]])
    source_x, source_y = np.moveaxis(matrices @ (np.stack([x, y]) - centre) + shifts[..., None] + centre, 1, 0)
    # A black frame stands for everything outside.
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0))).reshape(count, -1, channels)
    left = np.clip(np.floor(source_x), -1, width - 1)
    top = np.clip(np.floor(source_y), -1, height - 1)
    along_x = np.clip(source_x - left, 0, 1)[..., None].astype(np.float32)
    along_y = np.clip(source_y - top, 0, 1)[..., None].astype(np.float32)
    corner = ((top + 1) * (width + 2) + left + 1).astype(np.intp)[..., None]

    def take(offset: int) -> Images:
        return np.take_along_axis(padded, corner + offset, axis=1)

    upper = take(0) * (1 - along_x) + take(1) * along_x
    lower = take(width + 2) * (1 - along_x) + take(width + 3) * along_x
    return np.asarray(upper * (1 - along_y) + lower * along_y).reshape(images.shape)
