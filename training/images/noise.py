"""What is done to a clean image before the network sees it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.float32]


@dataclass(frozen=True)
class GaussianNoise:
    """White Gaussian noise of standard deviation `sigma` in [0, 1] units, the sum clipped to [0, 1] if `clipped`."""

    sigma: float
    clipped: bool = True

    def __str__(self) -> str:
        return f"Gaussian {self.sigma:g} {'clipped' if self.clipped else 'not clipped'}"

    def add_to(self, clean: Images, rng: np.random.Generator) -> Images:
        """Return a noisy copy of `clean`, float32 NHWC, of the same shape."""
        noisy = rng.standard_normal(clean.shape, dtype=np.float32)
        noisy *= np.float32(self.sigma)
        noisy += clean
        return np.clip(noisy, 0, 1, out=noisy) if self.clipped else noisy


@dataclass(frozen=True)
class SaltAndPepperNoise:
    """A `share` of the pixels, chosen at random, is black or white, each as often."""

    share: float

    def __str__(self) -> str:
        return f"salt-and-pepper {self.share:.0%}"

    def add_to(self, clean: Images, rng: np.random.Generator) -> Images:
        """Return a noisy copy of `clean`, float32 NHWC, of the same shape."""
        return sprinkle(clean, np.float32(self.share), rng)


@dataclass(frozen=True)
class BlindNoise:
    """Each image gets its own kind of noise at its own strength: for a network that is told neither.

    `gaussian`, `salt_and_pepper` and `speckle` are the shares of the images that get that kind, the rest is blurred
    and gets Gaussian noise. Half of the Gaussian ones have a sigma in `common_sigma`, the others from 0 to `max_sigma`.
    Salt, pepper and speckle come with faint Gaussian noise in half of their images. A `clipped` share of the images
    without salt and pepper is clipped to [0, 1]; those with it always are.
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
        """Return a noisy copy of `clean`, float32 NHWC, of the same shape."""

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
    """White Gaussian noise of a level of its own for each image: for a network that is told the level.

    Levels are standard deviations on the 8-bit scale: 0 for a `noiseless` share of the images, from `common` to
    `highest` for a `strong` share, else up to `common`. A `rounded` share is clipped and rounded to 8 bits, as files
    store it.
    """

    common: float = 55
    highest: float = 75
    noiseless: float = 0.03
    strong: float = 0.1
    rounded: float = 0.5

    def __str__(self) -> str:
        return f"Gaussian 0 to {self.highest:g} on the 8-bit scale, {self.rounded:.0%} clipped and rounded"

    def add_to(self, clean: Images, rng: np.random.Generator) -> tuple[Images, Images]:
        """Return a noisy copy of `clean`, float32 NHWC, and the standard deviations (N,), in [0, 1] units."""
        count = len(clean)
        kind = rng.random(count)
        levels = np.where(
            kind < self.strong, rng.uniform(self.common, self.highest, count), rng.uniform(0, self.common, count)
        )
        levels[kind > 1 - self.noiseless] = 0
        sigma = (levels / 255).astype(np.float32)
        noisy = clean + sigma[:, None, None, None] * rng.standard_normal(clean.shape, dtype=np.float32)
        is_rounded = rng.random(count) < self.rounded
        noisy[is_rounded] = round_to_8_bits(noisy[is_rounded])
        return noisy, sigma


@dataclass(frozen=True)
class NoNoise:
    """The image itself: what a plain autoencoder is trained on."""

    def __str__(self) -> str:
        return "none"

    def add_to(self, clean: Images, _rng: np.random.Generator) -> Images:
        """Return `clean`."""
        return clean


@dataclass(frozen=True)
class RecordedNoise:
    """What is in the noisy images of noisy/clean pairs, whatever it is.

    A network that is told the level is told the standard deviation of noisy - clean over the whole image, at most
    `highest` on the 8-bit scale.
    """

    highest: float = 75

    def __str__(self) -> str:
        return "that of noisy/clean pairs"

    def measure_level(self, pair: Images) -> float:
        """Return what the network is told of a pair (H, W, 2), clean and noisy; both in [0, 1] units."""
        return float(min(np.std(pair[..., 1] - pair[..., 0]), self.highest / 255))


Noise = GaussianNoise | SaltAndPepperNoise | BlindNoise | NoNoise


def pair_up(images: Images, noise: Noise | RecordedNoise, rng: np.random.Generator) -> tuple[Images, Images]:
    """Return (noisy, clean), float32 (N, H, W, 1) each.

    Every image has one channel, the clean one; with recorded noise it has two, clean and noisy.
    """
    clean = images[..., :1]
    return (images[..., 1:] if isinstance(noise, RecordedNoise) else noise.add_to(clean, rng)), clean


def sprinkle(images: Images, share: Images | np.float32, rng: np.random.Generator) -> Images:
    """Return a copy of NHWC images with `share` of the pixels, of all or of each image, set to 0 or 1."""
    chance = rng.random(images.shape, dtype=np.float32)
    return np.where(chance < share / 2, 0, np.where(chance > 1 - share / 2, 1, images)).astype(np.float32)


def blur(images: Images) -> Images:
    """Weigh the 3x3 neighbourhood of NHWC pixels with 1, 2, 1 in both directions; outside is black."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    rows = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    return np.asarray((rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:]) / 16, np.float32)


def round_to_8_bits(images: Images) -> Images:
    """Clip to [0, 1] and round to a multiple of 1/255, as an 8-bit file does."""
    return np.asarray(np.rint(images.clip(0, 1) * 255) / 255, np.float32)
