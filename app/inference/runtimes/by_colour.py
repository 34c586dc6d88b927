"""A network that has faster equals for gray and for coloured images."""

from app.imaging.samples import FloatImage, is_gray
from app.inference.denoiser import Denoiser, NoiseLevels


class ByColour:
    """Calls ``gray`` or ``coloured`` where all images of a micro-batch are so, else ``mixed``; all three are equal."""

    def __init__(self, mixed: Denoiser, *, gray: Denoiser, coloured: Denoiser) -> None:
        self._mixed = mixed
        self._gray = gray
        self._coloured = coloured

    def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
        """Denoise a micro-batch; see Denoiser.denoise."""
        are_gray = [is_gray(image) for image in images]
        if all(are_gray):
            return self._gray.denoise(images, noise_levels)
        return (self._mixed if any(are_gray) else self._coloured).denoise(images, noise_levels)
