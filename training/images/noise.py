"""The kinds of noise that training adds to clean images.

``add_to`` returns a noisy copy of float32 NHWC images in [0, 1], of the same shape.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.images.luma import measure_level

Images = NDArray[np.float32]


@dataclass(frozen=True)
class GaussianNoise:
    """White Gaussian noise of standard deviation ``sigma`` in [0, 1] units; ``clipped`` limits the sum to [0, 1]."""

    sigma: float
    clipped: bool = True

    def __str__(self) -> str:
        return f"Gaussian {self.sigma:g} {'clipped' if self.clipped else 'not clipped'}"

    def add_to(self, clean: Images, rng: np.random.Generator) -> Images:
        noisy = rng.standard_normal(clean.shape, dtype=np.float32)
        noisy *= np.float32(self.sigma)
        noisy += clean
        return np.clip(noisy, 0, 1, out=noisy) if self.clipped else noisy


@dataclass(frozen=True)
class SaltAndPepperNoise:
    """A random ``share`` of the pixels turns black or white, equally often."""

    share: float

    def __str__(self) -> str:
        return f"salt-and-pepper {self.share:.0%}"

    def add_to(self, clean: Images, rng: np.random.Generator) -> Images:
        return sprinkle(clean, np.float32(self.share), rng)


@dataclass(frozen=True)
class BlindNoise:
    """Noise of another kind and strength for each image, for networks that know neither.

    ``gaussian``, ``salt_and_pepper`` and ``speckle`` are shares of the images; the rest is blurred and gets Gaussian
    noise. Half of the Gaussian images have a sigma in ``common_sigma``, the others from 0 to ``max_sigma``. Half of the
    images with salt and pepper or speckle also get faint Gaussian noise. Images with salt and pepper are always clipped
    to [0, 1], a ``clipped`` share of the others as well.
    """

    gaussian: float = 0.75
    salt_and_pepper: float = 0.12
    speckle: float = 0.05
    clipped: float = 0.85
    common_sigma: tuple[float, float] = (0.3, 0.5)
    max_sigma: float = 0.7
    max_pixel_share: float = 0.3
    max_speckle_sigma: float = 0.7
    max_blurred_sigma: float = 0.4
    max_faint_sigma: float = 0.2

    def __str__(self) -> str:
        return (
            f"blind: Gaussian 0 to {self.max_sigma:g}, salt-and-pepper to {self.max_pixel_share:.0%},"
            f" speckle to {self.max_speckle_sigma:g}, a little blur, mostly clipped"
        )

    def add_to(self, clean: Images, rng: np.random.Generator) -> Images:
        def draw(low: float, high: float) -> Images:
            return rng.uniform(low, high, (len(clean), 1, 1, 1)).astype(np.float32)

        bounds = np.cumsum([self.gaussian, self.salt_and_pepper, self.speckle])
        kind = np.searchsorted(bounds, draw(0, 1), side="right")
        is_gaussian, is_sprinkled, is_speckled, is_blurred = (kind == number for number in range(4))
        gaussian_sigma = np.where(draw(0, 1) < 0.5, draw(*self.common_sigma), draw(0, self.max_sigma))
        faint_sigma = np.where(draw(0, 1) < 0.5, 0, draw(0, self.max_faint_sigma))
        blurred_sigma = draw(0, self.max_blurred_sigma)
        sigma = np.select([is_gaussian, is_blurred], [gaussian_sigma, blurred_sigma], faint_sigma).astype(np.float32)

        image = clean + is_blurred * draw(0, 1) * (blur(clean) - clean)
        speckle = is_speckled * draw(0, self.max_speckle_sigma) * rng.standard_normal(clean.shape, dtype=np.float32)
        noisy = image * (1 + speckle) + sigma * rng.standard_normal(clean.shape, dtype=np.float32)
        noisy = sprinkle(noisy, is_sprinkled * draw(0, self.max_pixel_share), rng)
        is_clipped = is_sprinkled | (draw(0, 1) < self.clipped)
        return np.asarray(np.where(is_clipped, np.clip(noisy, 0, 1), noisy), np.float32)


@dataclass(frozen=True)
class RandomLevelNoise:
    """White Gaussian noise of another level for each image, for networks that take the level as an input.

    Levels are standard deviations on the 8-bit scale: 0 for a ``noiseless`` share of the images, from ``common`` to
    ``highest`` for a ``strong`` share, up to ``common`` for the others. A ``rounded`` share is clipped and rounded to
    8 bits, as in files.
    """

    common: float = 55
    highest: float = 75
    noiseless: float = 0.03
    strong: float = 0.1
    rounded: float = 0.5

    def __str__(self) -> str:
        return f"Gaussian 0 to {self.highest:g} on the 8-bit scale, {self.rounded:.0%} clipped and rounded"

    def add_to(self, clean: Images, rng: np.random.Generator) -> tuple[Images, Images]:
        """Return a noisy copy of ``clean`` and the standard deviations (N,), in [0, 1] units."""
        count = len(clean)
        kind = rng.random(count)
        strong, common = rng.uniform(self.common, self.highest, count), rng.uniform(0, self.common, count)
        levels = np.where(kind < self.strong, strong, common)
        levels[kind > 1 - self.noiseless] = 0
        sigma = (levels / 255).astype(np.float32)
        noisy = clean + sigma[:, None, None, None] * rng.standard_normal(clean.shape, dtype=np.float32)
        is_rounded = rng.random(count) < self.rounded
        noisy[is_rounded] = round_to_8_bits(noisy[is_rounded])
        return noisy, sigma


@dataclass(frozen=True)
class NoNoise:
    """The image itself, on which a plain autoencoder is trained."""

    def __str__(self) -> str:
        return "none"

    def add_to(self, clean: Images, _rng: np.random.Generator) -> Images:
        return clean


@dataclass(frozen=True)
class RecordedNoise:
    """The noise of noisy/clean pairs, of whatever kind.

    Its level is that of noisy - clean, at most ``highest`` on the 8-bit scale.
    """

    highest: float = 75

    def __str__(self) -> str:
        return "that of noisy/clean pairs"

    def measure_level(self, noisy: Images, clean: Images) -> float:
        """Return the level of an image (H, W, C) in [0, 1] units; a constant difference does not count."""
        return min(measure_level(noisy, clean), self.highest / 255)


@dataclass(frozen=True)
class UnknownNoise:
    """The noise of noisy images without clean ones.

    Its level is measured with a log-normal ``level_error``, so that networks also serve other estimates of it.
    """

    level_error: float = 0.4

    def __str__(self) -> str:
        return "that of the noisy images themselves"


Noise = GaussianNoise | SaltAndPepperNoise | BlindNoise | NoNoise


def pair_up(images: Images, noise: Noise | RecordedNoise, rng: np.random.Generator) -> tuple[Images, Images]:
    """Return (noisy, clean), float32 (N, H, W, 1) each.

    The channels of ``images`` are clean alone, or clean and noisy where the noise is recorded.
    """
    clean = images[..., :1]
    return (images[..., 1:] if isinstance(noise, RecordedNoise) else noise.add_to(clean, rng)), clean


def sprinkle(images: Images, share: Images | np.float32, rng: np.random.Generator) -> Images:
    """Return a copy of NHWC images with a share of the pixels, one for all or one for each image, set to 0 or 1."""
    chance = rng.random(images.shape, dtype=np.float32)
    return np.where(chance < share / 2, 0, np.where(chance > 1 - share / 2, 1, images)).astype(np.float32)


def blur(images: Images) -> Images:
    """Blur NHWC images with the weights 1, 2, 1 in both directions; the outside is black."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    rows = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    return np.asarray((rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:]) / 16, np.float32)


def round_to_8_bits(images: Images) -> Images:
    """Clip to [0, 1] and round to a multiple of 1/255, as an 8-bit file does."""
    return np.asarray(np.rint(images.clip(0, 1) * 255) / 255, np.float32)
