"""Noisy and clean crops of photographs or of pairs, with new ones in every step."""

from collections.abc import Sequence

import keras
import numpy as np
from PIL import Image

from training.config import Crops
from training.images.files import to_images
from training.images.noise import Images, RandomLevelNoise, RecordedNoise
from training.photos.data import Photo

VALIDATION_LEVELS = (15, 25, 50)  # standard deviations on the 8-bit scale, those of most publications
VALIDATION_SEED = 1

Inputs = dict[str, Images]


class NoisyCrops(keras.utils.PyDataset):
    """Batches ({image, noise_level}, clean) that depend on (seed, epoch, step) alone, for the sake of resumed runs.

    With recorded noise the photographs are pairs, and ``crops`` has the scale 1 only.
    """

    def __init__(
        self,
        photos: Sequence[Photo],
        noise: RandomLevelNoise | RecordedNoise,
        *,
        crops: Crops,
        batch_size: int,
        seed: int,
    ) -> None:
        super().__init__()
        self.photos = [scaled for photo in photos for scaled in scale_photo(photo, crops)]
        self.pair_levels = (
            _measure_levels(photos, noise) if isinstance(noise, RecordedNoise) else np.empty(0, np.float32)
        )
        sizes = np.array([_count_crops(photo, crops.side_px) for photo in self.photos], np.float64)
        self.shares = sizes / sizes.sum()
        self.noise = noise
        self.crops = crops
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0

    def start_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.crops.steps_per_epoch

    def __getitem__(self, step: int) -> tuple[Inputs, Images]:
        rng = np.random.default_rng([self.seed, self.epoch, step + 1])
        chosen = rng.choice(len(self.photos), self.batch_size, p=self.shares)
        images = to_images(np.stack([_draw_crop(self.photos[index], self.crops.side_px, rng) for index in chosen]))
        if isinstance(self.noise, RecordedNoise):
            return _split_pairs(images, self.pair_levels[chosen])
        noisy, levels = self.noise.add_to(images, rng)
        return {"image": noisy, "noise_level": levels}, images


def make_validation_crops(
    photos: Sequence[Photo], noise: RandomLevelNoise | RecordedNoise, crops: Crops
) -> tuple[Inputs, Images]:
    """Return central crops, the same in every epoch and run: pairs, or noise at each of ``VALIDATION_LEVELS``."""
    smallest = min(min(photo.shape[:2]) for photo in photos)
    side = 2 * crops.side_px if smallest >= 2 * crops.side_px else crops.side_px
    centres = np.stack(
        [_cut(photo, (photo.shape[0] - side) // 2, (photo.shape[1] - side) // 2, side) for photo in photos]
    )
    if isinstance(noise, RecordedNoise):
        return _split_pairs(to_images(centres), _measure_levels(photos, noise))
    clean = np.tile(to_images(centres), (len(VALIDATION_LEVELS), 1, 1, 1))
    levels = np.repeat(np.array(VALIDATION_LEVELS, np.float32) / np.float32(255), len(photos))
    white = np.random.default_rng(VALIDATION_SEED).standard_normal(clean.shape, dtype=np.float32)
    return {"image": clean + levels[:, None, None, None] * white, "noise_level": levels}, clean


def scale_photo(photo: Photo, crops: Crops) -> list[Photo]:
    """Return the photograph at each scale at which it holds a crop, at full size first."""
    if crops.scales == (1.0,):
        return [photo]
    whole = Image.fromarray(photo)
    sizes = [(round(whole.width * scale), round(whole.height * scale)) for scale in crops.scales]
    return [np.asarray(whole.resize(size, Image.Resampling.BICUBIC)) for size in sizes if min(size) >= crops.side_px]


def _measure_levels(pairs: Sequence[Photo], noise: RecordedNoise) -> Images:
    return np.array([noise.measure_level(to_images(pair[None])[0]) for pair in pairs], np.float32)


def _split_pairs(images: Images, levels: Images) -> tuple[Inputs, Images]:
    return {"image": images[..., 1:], "noise_level": levels}, images[..., :1]


def _count_crops(photo: Photo, side: int) -> int:
    height, width = photo.shape[:2]
    return int((height - side + 1) * (width - side + 1))


def _draw_crop(photo: Photo, side: int, rng: np.random.Generator) -> Photo:
    """Return a random crop, rotated by a multiple of 90 degrees; every other one is mirrored."""
    top, left = (rng.integers(length - side + 1) for length in photo.shape[:2])
    crop = np.rot90(_cut(photo, top, left, side), int(rng.integers(4)))
    return np.fliplr(crop) if rng.random() < 0.5 else crop


def _cut(photo: Photo, top: int, left: int, side: int) -> Photo:
    return photo[top : top + side, left : left + side]
