"""The interface of a network that the service can run."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.imaging.samples import FloatImage

NoiseLevels = NDArray[np.float32]


class Denoiser(Protocol):
    """A network that denoises a micro-batch of images."""

    def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
        """Denoise a micro-batch; several threads may call this at once.

        Args:
            images: shape (N, H, W, C), float32, nominal range [0, 1]; noise may go beyond it. C is 1 for gray or 3 for
                RGB, as the network takes it.
            noise_levels: shape (N,), float32, standard deviations in the same units; None for a network that
                takes no noise level.

        Returns:
            The denoised images, same shape, float32, in [0, 1].
        """
        ...


Loader = Callable[[Path], Denoiser]  # takes the folder of a version
