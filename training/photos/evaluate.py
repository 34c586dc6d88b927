"""Measures denoisers of photographs as publications do: Gaussian noise of known level, each image by itself."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from training.images.metrics import psnr_db, ssim
from training.images.noise import Images, RecordedNoise, round_to_8_bits
from training.photos.data import Photo
from training.store.export import SavedNetwork

NOISE_LEVELS = (15, 25, 50)  # standard deviations on the 8-bit scale
NOISE_SEED = 0  # anew for each image

PhotoMethod = Callable[[Images, float], Images]
"""Takes one noisy image (H, W) and the standard deviation of its noise, in [0, 1] units; gives the image denoised."""


@dataclass(frozen=True)
class PhotoScore:
    """Means over the images."""

    psnr_db: float
    ssim: float
    seconds_per_megapixel: float


@dataclass(frozen=True)
class Protocol:
    """How an image is made noisy: at `level` on the 8-bit scale, `rounded` to 8 bits or with noise beyond [0, 1]."""

    level: int
    rounded: bool

    def make_noisy(self, photo: Photo) -> "NoisyPhoto":
        """Return a photograph (H, W) with noise."""
        clean = photo.astype(np.float32) / np.float32(255)
        noise = np.random.RandomState(NOISE_SEED).normal(0, self.level / 255, clean.shape)
        noisy = (clean + noise).astype(np.float32)
        return NoisyPhoto(clean, round_to_8_bits(noisy) if self.rounded else noisy, self.level / 255)


@dataclass(frozen=True)
class PairProtocol:
    """The noise is that of noisy/clean pairs; its level is measured."""

    noise: RecordedNoise

    def make_noisy(self, photo: Photo) -> "NoisyPhoto":
        """Return the images of a pair (H, W, 2)."""
        pair = photo.astype(np.float32) / np.float32(255)
        return NoisyPhoto(pair[..., 0], pair[..., 1], self.noise.measure_level(pair))


class NoisyPhoto(NamedTuple):
    """Images (H, W) in [0, 1], and the noise's standard deviation in the same units."""

    clean: Images
    noisy: Images
    sigma: float


PROTOCOLS = tuple(Protocol(level, rounded) for rounded in (False, True) for level in NOISE_LEVELS)

PhotoResults = dict[str, dict[Protocol, PhotoScore]]


def leave_noisy(noisy: Images, _sigma: float) -> Images:
    """Do nothing: the noisy image is what every method has to beat."""
    return noisy


def as_method(saved: SavedNetwork) -> PhotoMethod:
    """Let a network take one image and one level."""

    def denoise(noisy: Images, sigma: float) -> Images:
        return saved.denoise(noisy[None, ..., None], np.array([sigma], np.float32))[0, ..., 0]

    return denoise


def compare_on_photos(methods: Mapping[str, PhotoMethod], photos: Sequence[Photo]) -> PhotoResults:
    """Return each method's score for each of `PROTOCOLS`; the answers are rounded to 8 bits."""
    results: PhotoResults = {}
    for name, method in methods.items():
        results[name] = {protocol: score_on_photos(method, photos, protocol) for protocol in PROTOCOLS}
        print(f"measured {name}", flush=True)
    return results


def score_on_photos(method: PhotoMethod, photos: Sequence[Photo], protocol: Protocol | PairProtocol) -> PhotoScore:
    """Measure one method on photographs."""
    scores = []
    for photo in photos:
        clean, noisy, sigma = protocol.make_noisy(photo)
        start = time.perf_counter()
        denoised = method(noisy, sigma)
        seconds = time.perf_counter() - start
        pair = clean[None, ..., None], round_to_8_bits(denoised)[None, ..., None]
        scores.append((psnr_db(*pair), ssim(*pair), seconds / clean.size * 1e6))
    return PhotoScore(*(float(np.mean(column)) for column in zip(*scores, strict=True)))
