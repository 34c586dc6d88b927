"""Noisy and clean crops of photographs or of pairs, with new ones in every step."""

import math
from collections.abc import Sequence

import keras
import numpy as np

from training.config import Crops, Part
from training.images.camera import draw_log
from training.images.mixture import MixedNoise
from training.images.noise import Images, RandomLevelNoise, RecordedNoise, UnknownNoise
from training.photos.crops import (
    MARGIN_PX,
    NoisyCrop,
    add_camera_noise,
    add_scan_noise,
    add_white_noise,
    cut_centre,
    draw_crop,
    draw_scaled_crop,
    estimate_level,
    pair_neighbours,
    split_pair,
)
from training.photos.data import Photo

VALIDATION_LEVELS = (15, 25, 50)  # standard deviations on the 8-bit scale, those of most publications
VALIDATION_SEED = 1
NO_NOISE = RandomLevelNoise(noiseless=1)

PhotoNoise = RandomLevelNoise | MixedNoise | RecordedNoise | UnknownNoise
Inputs = dict[str, Images]


class NoisyCrops(keras.utils.PyDataset):
    """Batches ({image, noise_level}, clean) that depend on (seed, epoch, step) alone, for the sake of resumed runs.

    Every other crop is gray; all are, or none, where only one ``part`` learns. With recorded noise the photographs are
    pairs; with unknown noise they are noisy, and one half of their pixels stands for clean ones.
    """

    def __init__(
        self,
        photos: Sequence[Photo],
        noise: PhotoNoise,
        *,
        crops: Crops,
        batch_size: int,
        seed: int,
        part: Part | None = None,
    ) -> None:
        super().__init__()
        self.photos = photos
        self.levels = {is_gray: _measure_levels(photos, noise, is_gray=is_gray) for is_gray in (False, True)}
        # A photograph of four times the pixels is twice as likely: more is to be seen in it, but not four times more.
        lengths = np.array([math.sqrt(_count_crops(photo, crops.side_px)) for photo in photos])
        self.shares = lengths / lengths.sum()
        self.noise = noise
        self.crops = crops
        self.batch_size = batch_size
        self.seed = seed
        self.part = part
        self.epoch = 0

    def start_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.crops.steps_per_epoch

    def __getitem__(self, step: int) -> tuple[Inputs, Images]:
        rng = np.random.default_rng([self.seed, self.epoch, step + 1])
        chosen = rng.choice(len(self.photos), self.batch_size, p=self.shares)
        drawn = enumerate(chosen)
        return stack([self._draw(int(index), rng, is_gray=_is_gray(place, self.part)) for place, index in drawn])

    def _draw(self, index: int, rng: np.random.Generator, *, is_gray: bool) -> NoisyCrop:
        photo, side = self.photos[index], self.crops.side_px
        if isinstance(self.noise, RecordedNoise):  # with the level of the whole picture, which the service knows, too
            pair = split_pair(draw_crop(photo, side, rng), self.noise, is_gray=is_gray)
            return pair._replace(level=self.levels[is_gray][index])
        if isinstance(self.noise, UnknownNoise):
            level = self.levels[is_gray][index] * float(np.exp(rng.normal(0, self.noise.level_error)))
            return pair_neighbours(draw_crop(photo, 2 * side, rng), level, rng, is_gray=is_gray)
        if isinstance(self.noise, MixedNoise):
            kind = rng.random()
            if kind < self.noise.scan_share:
                return add_scan_noise(self.noise, side, rng, is_gray=is_gray)
            if kind < self.noise.scan_share + self.noise.camera_share:
                return add_camera_noise(photo, self.noise, side, rng, is_gray=is_gray)
            if kind > 1 - self.noise.clean_share:
                crop = add_white_noise(draw_scaled_crop(photo, self.crops, rng), NO_NOISE, rng, is_gray=is_gray)
                return crop._replace(level=draw_log(self.noise.clean_level, rng) / 255)
        white = self.noise.white if isinstance(self.noise, MixedNoise) else self.noise
        return add_white_noise(draw_scaled_crop(photo, self.crops, rng), white, rng, is_gray=is_gray)


def make_validation_crops(
    photos: Sequence[Photo], noise: PhotoNoise, crops: Crops, *, part: Part | None = None
) -> tuple[Inputs, Images]:
    """Return central crops, the same in every epoch and run, every other one gray, or those for ``part`` alone.

    They are pairs, or have white noise at each of ``VALIDATION_LEVELS``; with mixed noise, others have a camera's or a
    scanner's in the shares of training.
    """
    smallest = min(min(photo.shape[:2]) for photo in photos)
    side = 2 * crops.side_px if smallest >= 2 * (crops.side_px + MARGIN_PX) else crops.side_px
    rng = np.random.default_rng(VALIDATION_SEED)
    made = []
    for place, photo in enumerate(photos):
        is_gray = _is_gray(place, part)
        centre = cut_centre(photo, side)
        if isinstance(noise, RecordedNoise):
            level = split_pair(photo, noise, is_gray=is_gray).level
            made.append(split_pair(centre, noise, is_gray=is_gray)._replace(level=level))
            continue
        if isinstance(noise, UnknownNoise):
            made.append(pair_neighbours(centre, estimate_level(photo, is_gray=is_gray), rng, is_gray=is_gray))
            continue
        for level in VALIDATION_LEVELS:
            white = RandomLevelNoise(common=level, highest=level, noiseless=0, strong=1, rounded=0)
            made.append(add_white_noise(centre, white, rng, is_gray=is_gray))
        if isinstance(noise, MixedNoise):
            made += [add_camera_noise(photo, noise, side, rng, is_gray=is_gray) for _ in range(2)]
            if place % 3 == 0:
                made.append(add_scan_noise(noise, side, rng, is_gray=is_gray))
    return stack(made)


def stack(crops: Sequence[NoisyCrop]) -> tuple[Inputs, Images]:
    """Return ({image, noise_level}, clean), (N, H, W, 3) and (N,)."""
    noisy, clean, levels = zip(*crops, strict=True)
    return {"image": np.stack(noisy), "noise_level": np.array(levels, np.float32)}, np.stack(clean)


def _is_gray(place: int, part: Part | None) -> bool:
    return part.endswith("gray") if part else place % 2 == 1


def _measure_levels(photos: Sequence[Photo], noise: PhotoNoise, *, is_gray: bool) -> list[float]:
    """Return the level of each photograph as a whole, none where the noise is added."""
    if isinstance(noise, RecordedNoise):
        return [split_pair(photo, noise, is_gray=is_gray).level for photo in photos]
    return [estimate_level(photo, is_gray=is_gray) for photo in photos] if isinstance(noise, UnknownNoise) else []


def _count_crops(photo: Photo, side: int) -> int:
    height, width = photo.shape[:2]
    return int((height - side + 1) * (width - side + 1))
