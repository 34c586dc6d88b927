"""The one thing that the service asks of a network."""

from typing import Protocol

from app.images import FloatImage


class Denoiser(Protocol):
    """A network that cleans a batch of gray images."""

    def denoise(self, images: FloatImage) -> FloatImage:
        """Clean a batch.

        Args:
            images: shape (N, H, W), float32, nominal range [0, 1]; noise may lie outside of it.

        Returns:
            The clean images, same shape, float32, in [0, 1].
        """
        ...
