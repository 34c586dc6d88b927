"""How well denoisers do on photographs, as publications measure it: Gaussian noise of known level, image by image."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from training.images.files import from_8_bit
from training.images.metrics import psnr_db, ssim
from training.images.noise import Images, RecordedNoise, round_to_8_bits
from training.photos.data import Photo
from training.store.export import SavedNetwork

NOISE_LEVELS = (15, 25, 50)  # standard deviations on the 8-bit scale
NOISE_SEED = 0  # of each image

PhotoMethod = Callable[[Images, float], Images]
"""Denoises one image (H, W), given the standard deviation of its noise in [0, 1] units."""


@dataclass(frozen=True)
class PhotoScore:
    """Means over the images."""

    psnr_db: float
    ssim: float
    seconds_per_megapixel: float


class NoisyPhoto(NamedTuple):
    """Images (H, W) in [0, 1], and the standard deviation of the noise in the same units."""

    clean: Images
    noisy: Images
    sigma: float


@dataclass(frozen=True)
class Protocol:
    """Gaussian noise at ``level`` on the 8-bit scale, ``rounded`` to 8 bits or with values beyond [0, 1]."""

    level: int
    rounded: bool

    def __str__(self) -> str:
        return f"{self.level} {'rounded' if self.rounded else 'not clipped'}"

    def make_noisy(self, photo: Photo) -> NoisyPhoto:
        """Add noise to a photograph (H, W)."""
        clean = from_8_bit(photo)
        noise = np.random.RandomState(NOISE_SEED).normal(0, self.level / 255, clean.shape)
        noisy = (clean + noise).astype(np.float32)
        return NoisyPhoto(clean, round_to_8_bits(noisy) if self.rounded else noisy, self.level / 255)


def split_pair(photo: Photo) -> NoisyPhoto:
    """Return the images of a pair (H, W, 2), and the level of its noise as measured."""
    pair = from_8_bit(photo)
    return NoisyPhoto(pair[..., 0], pair[..., 1], RecordedNoise().measure_level(pair))


PROTOCOLS = tuple(Protocol(level, rounded) for rounded in (False, True) for level in NOISE_LEVELS)

PhotoResults = dict[str, dict[Protocol, PhotoScore]]


def leave_noisy(noisy: Images, _sigma: float) -> Images:
    """Return the noisy image, which every method has to beat."""
    return noisy


def as_method(saved: SavedNetwork) -> PhotoMethod:
    """Return a network as a method, for one image and one level."""

    def denoise(noisy: Images, sigma: float) -> Images:
        return saved.denoise(noisy[None, ..., None], np.array([sigma], np.float32))[0, ..., 0]

    return denoise


def compare_on_photos(methods: Mapping[str, PhotoMethod], photos: Sequence[Photo]) -> PhotoResults:
    """Return each method's score for each of ``PROTOCOLS``; outputs are rounded to 8 bits."""
    results: PhotoResults = {}
    for name, method in methods.items():
        results[name] = {protocol: score_on_photos(method, photos, protocol.make_noisy) for protocol in PROTOCOLS}
        print(f"measured {name}", flush=True)
    return results


def score_on_photos(
    method: PhotoMethod, photos: Sequence[Photo], make_noisy: Callable[[Photo], NoisyPhoto]
) -> PhotoScore:
    """Measure one method on photographs, or on pairs with ``split_pair``."""
    scores = []
    for photo in photos:
        clean, noisy, sigma = make_noisy(photo)
        start = time.perf_counter()
        denoised = method(noisy, sigma)
        seconds = time.perf_counter() - start
        pair = clean[None, ..., None], round_to_8_bits(denoised)[None, ..., None]
        scores.append((psnr_db(*pair), ssim(*pair), seconds / clean.size * 1e6))
    return PhotoScore(*(float(np.mean(column)) for column in zip(*scores, strict=True)))
