"""How well denoisers do on photographs, as publications measure it: Gaussian noise of known level, image by image."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from training.images.files import from_8_bit, to_8_bit
from training.images.luma import measure_level
from training.images.metrics import psnr_db, ssim
from training.images.mixture import MixedNoise
from training.images.noise import Images, RecordedNoise, round_to_8_bits
from training.photos.crops import add_camera_noise, cut_centre, estimate_level, pair_neighbours, split_pair, to_gray
from training.photos.data import Photo
from training.store.export import SavedNetwork

NOISE_LEVELS = (15, 25, 50)  # standard deviations on the 8-bit scale
NOISE_SEED = 0  # of each image
CAMERA_SIDE_PX = 256

PhotoMethod = Callable[[Images, float], Images]
"""Denoises one image, (H, W, 1) or (H, W, 3), given the standard deviation of its noise in [0, 1] units."""


@dataclass(frozen=True)
class PhotoScore:
    """Means over the images."""

    psnr_db: float
    ssim: float
    seconds_per_megapixel: float


class NoisyPhoto(NamedTuple):
    """Images (H, W, 1) or (H, W, 3) in [0, 1], and the standard deviation of the noise in the same units."""

    clean: Images
    noisy: Images
    sigma: float


@dataclass(frozen=True)
class Protocol:
    """Gaussian noise at ``level`` on the 8-bit scale, ``rounded`` to 8 bits or with values beyond [0, 1].

    Photographs become gray first unless they are measured ``in_colour``.
    """

    level: int
    rounded: bool
    in_colour: bool = False

    def __str__(self) -> str:
        return f"{self.level}{' colour' if self.in_colour else ''} {'rounded' if self.rounded else 'not clipped'}"

    def make_noisy(self, photo: Photo) -> NoisyPhoto:
        """Add noise to a photograph (H, W, 3)."""
        clean = from_8_bit(photo if self.in_colour else to_8_bit(to_gray(from_8_bit(photo)))[..., :1])
        noise = np.random.RandomState(NOISE_SEED).normal(0, self.level / 255, clean.shape)
        noisy = (clean + noise).astype(np.float32)
        return NoisyPhoto(clean, round_to_8_bits(noisy) if self.rounded else noisy, self.level / 255)


def measure_pair(photo: Photo) -> NoisyPhoto:
    """Return the images of a pair (H, W, 6), and the level of its noise as measured."""
    noisy, clean, level = split_pair(photo, RecordedNoise())
    return NoisyPhoto(clean, noisy, level)


def measure_neighbours(photo: Photo) -> NoisyPhoto:
    """Return two neighbours of each 2x2 cell of a noisy photograph, the second one in place of the clean image."""
    first, second, level = pair_neighbours(
        photo, estimate_level(photo), np.random.default_rng(NOISE_SEED), is_gray=False
    )
    return NoisyPhoto(second, first, level)


def photograph(photo: Photo, noise: MixedNoise) -> NoisyPhoto:
    """Return the middle of a photograph as a camera would have taken it, always the same way, and the noise's level."""
    side = min(CAMERA_SIDE_PX, *photo.shape[:2])
    rng = np.random.default_rng(NOISE_SEED)
    noisy, clean, _ = add_camera_noise(cut_centre(photo, side), noise, side // 2, rng, is_gray=False)
    return NoisyPhoto(clean, noisy, measure_level(noisy, clean))


GRAY_PROTOCOLS = tuple(Protocol(level, rounded) for rounded in (False, True) for level in NOISE_LEVELS)
COLOUR_PROTOCOLS = tuple(
    Protocol(level, rounded, in_colour=True) for rounded in (False, True) for level in NOISE_LEVELS
)

PhotoResults = dict[str, dict[Protocol, PhotoScore]]


def leave_noisy(noisy: Images, _sigma: float) -> Images:
    """Return the noisy image, which every method has to beat."""
    return noisy


def as_method(saved: SavedNetwork) -> PhotoMethod:
    """Return a network as a method, for one image and one level, as the service calls it.

    A network of three channels gets a gray image in each of them, and the mean comes out; one of a single channel gets
    the three of a colour image as a batch.
    """

    def denoise(noisy: Images, sigma: float) -> Images:
        count = noisy.shape[-1]
        if saved.channels == count:
            return np.asarray(call(noisy[None], sigma)[0])
        if count == 1:
            denoised = call(np.repeat(noisy[None], saved.channels, axis=-1), sigma)[0]
            return np.asarray(denoised.mean(axis=-1, keepdims=True))
        return np.asarray(call(noisy.transpose(2, 0, 1)[..., None], sigma)[..., 0].transpose(1, 2, 0))

    def call(images: Images, sigma: float) -> Images:
        return saved.denoise(images, np.full(len(images), sigma, np.float32))

    return denoise


def compare_on_photos(
    methods: Mapping[str, PhotoMethod], photos: Sequence[Photo], protocols: Sequence[Protocol]
) -> PhotoResults:
    """Return each method's score for each protocol; outputs are rounded to 8 bits."""
    results: PhotoResults = {}
    for name, method in methods.items():
        results[name] = {protocol: score_on_photos(method, photos, protocol.make_noisy) for protocol in protocols}
        print(f"measured {name}", flush=True)
    return results


def score_on_photos(
    method: PhotoMethod, photos: Sequence[Photo], make_noisy: Callable[[Photo], NoisyPhoto]
) -> PhotoScore:
    """Measure one method on photographs, or on pairs with ``measure_pair``."""
    scores = []
    for photo in photos:
        clean, noisy, sigma = make_noisy(photo)
        start = time.perf_counter()
        denoised = method(noisy, sigma)
        seconds = time.perf_counter() - start
        pair = clean[None], round_to_8_bits(denoised)[None]
        pixels = clean.shape[0] * clean.shape[1]
        scores.append((psnr_db(*pair), ssim(*pair), seconds / pixels * 1e6))
    return PhotoScore(*(float(np.mean(column)) for column in zip(*scores, strict=True)))
