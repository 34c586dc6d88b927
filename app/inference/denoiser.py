"""The one thing that the service asks of a network."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.imaging.samples import FloatImage

NoiseLevels = NDArray[np.float32]


class Denoiser(Protocol):
    """A network that cleans a batch of gray images."""

    def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
        """Clean a batch; may be called by several threads at once.

        Args:
            images: shape (N, H, W), float32, nominal range [0, 1]; noise may lie outside of it.
            noise_levels: shape (N,), float32, standard deviations in the same units; None for a network that is not
                told the level.

        Returns:
            The clean images, same shape, float32, in [0, 1].
        """
        ...


Loader = Callable[[Path], Denoiser]  # from a version's folder
