"""One crop of a photograph with noise: white, a camera's, a scanner's, or its own."""

import math
from typing import NamedTuple

import cv2
import numpy as np

from training.config import Crops
from training.images.files import to_images
from training.images.luma import GRAY_WEIGHTS, LUMA_NOISE, LUMA_WEIGHTS, is_in_colour, measure_level
from training.images.mixture import MixedNoise
from training.images.noise import Images, RandomLevelNoise, RecordedNoise
from training.photos.data import Photo
from training.photos.neighbours import measure_noise, split_neighbours

MARGIN_PX = 4  # what demosaicing and filters see of the outside, cut off again


class NoisyCrop(NamedTuple):
    """Images (H, W, 3) and the level in [0, 1] units that the network is given."""

    noisy: Images
    clean: Images
    level: float


def cut_centre(photo: Photo, side: int) -> Photo:
    """Return the middle (side, side, C) of a photograph, or less where it is smaller."""
    top, left = (max(0, length - side) // 2 for length in photo.shape[:2])
    return photo[top : top + side, left : left + side]


def draw_crop(photo: Photo, side: int, rng: np.random.Generator) -> Photo:
    """Return a random crop, rotated by a multiple of 90 degrees; every other one is mirrored."""
    top, left = (int(rng.integers(length - side + 1)) for length in photo.shape[:2])
    crop = np.rot90(photo[top : top + side, left : left + side], int(rng.integers(4)))
    return np.ascontiguousarray(np.fliplr(crop) if rng.random() < 0.5 else crop)


def draw_scaled_crop(photo: Photo, crops: Crops, rng: np.random.Generator) -> Photo:
    """Return a random crop of ``crops.side_px``, in most cases scaled down, which hides the traces of its JPEG file."""
    side = crops.side_px
    scale = 1.0 if rng.random() < crops.full_size else rng.uniform(crops.min_scale, 1)
    source = min(round(side / scale), *photo.shape[:2])
    crop = draw_crop(photo, source, rng)
    return crop if source == side else np.asarray(cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA))


def add_white_noise(crop: Photo, noise: RandomLevelNoise, rng: np.random.Generator, *, is_gray: bool) -> NoisyCrop:
    """Add noise that is independent in each channel, or the same in all of a gray crop."""
    clean = to_images(crop[None])
    if is_gray:
        clean = to_gray(clean)
    noisy, levels = noise.add_to(clean[..., :1] if is_gray else clean, rng)
    return NoisyCrop(np.broadcast_to(noisy, clean.shape)[0], clean[0], float(levels[0]))


def add_camera_noise(
    photo: Photo, noise: MixedNoise, side: int, rng: np.random.Generator, *, is_gray: bool
) -> NoisyCrop:
    """Draw a crop of a photograph, of at least ``side`` + 2 ``MARGIN_PX``, as a camera would have taken it."""
    whole = side + 2 * MARGIN_PX
    scale = max(noise.camera.draw_scale(rng), whole / min(photo.shape[:2]))
    scale = min(scale, 1.0)
    source = min(math.ceil(whole / scale), *photo.shape[:2])
    pair = noise.camera.make_pair(draw_crop(photo, source, rng), scale, rng)
    return _finish(pair, noise, side, rng, is_gray=is_gray)


def add_scan_noise(noise: MixedNoise, side: int, rng: np.random.Generator, *, is_gray: bool) -> NoisyCrop:
    """Draw a part of a printed page as a scanner would have taken it."""
    return _finish(noise.scan.make_pair(side, rng), noise, side, rng, is_gray=is_gray)


def _finish(
    pair: tuple[Images, Images], noise: MixedNoise, side: int, rng: np.random.Generator, *, is_gray: bool
) -> NoisyCrop:
    """Cut the middle out of both images, and measure the level that the network is given, with an error."""
    top, left = ((length - side) // 2 for length in pair[0].shape[:2])
    noisy, clean = (image[top : top + side, left : left + side] for image in pair)
    if is_gray:
        noisy, clean = to_gray(noisy), to_gray(clean)
    stated = measure_level(noisy, clean) * noise.level_bias * float(np.exp(rng.normal(0, noise.level_error)))
    return NoisyCrop(noisy, clean, min(stated, noise.white.highest / 255))


def to_gray(images: Images) -> Images:
    """Return the BT.601 luma in all three channels."""
    return np.repeat((images @ GRAY_WEIGHTS)[..., None], 3, axis=-1)


def split_pair(pair: Photo, noise: RecordedNoise, *, is_gray: bool = False) -> NoisyCrop:
    """Return the images of a pair (H, W, 6), and the level of its noise as measured."""
    images = to_images(pair[None])[0]
    clean, noisy = images[..., :3], images[..., 3:]
    if is_gray:
        clean, noisy = to_gray(clean), to_gray(noisy)
    return NoisyCrop(noisy, clean, noise.measure_level(noisy, clean))


def pair_neighbours(crop: Photo, level: float, rng: np.random.Generator, *, is_gray: bool) -> NoisyCrop:
    """Return two neighbours of each 2x2 cell of a noisy crop: one as the noisy image, one in place of the clean one."""
    image = to_gray(to_images(crop[None]))[0] if is_gray else to_images(crop[None])[0]
    return NoisyCrop(*split_neighbours(image, rng), level)


def estimate_level(photo: Photo, *, is_gray: bool = False) -> float:
    """Return the noise level of a noisy photograph in [0, 1] units."""
    image = to_images(photo[None])[0]
    if not is_gray and is_in_colour(image):
        return measure_noise((image @ LUMA_WEIGHTS)[..., None]).level / LUMA_NOISE
    return measure_noise(to_gray(image)[..., :1]).level
