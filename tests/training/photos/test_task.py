from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.training.drawing import draw_blobs, fill_channels, join_pair, write_images, write_pairs
from training.config import Config, Crops
from training.errors import DataError
from training.images.files import to_8_bit
from training.images.noise import GaussianNoise, RandomLevelNoise
from training.photos.data import CleanPhotos
from training.photos.network.photo import build_photo
from training.photos.task import PhotosTask
from training.presets import PRESETS

TASK = PhotosTask()
PHOTO = replace(PRESETS["photo"], crops=Crops(side_px=16, steps_per_epoch=2), batch_size=3, seed=4)
DISCS = tuple(fill_channels(disc) for disc in to_8_bit(draw_blobs(3, size=40)[..., 0]))
PHOTOS = CleanPhotos("discs", {}, train=DISCS[:2], validation=DISCS[2:])
NOISY_ONLY = replace(PHOTO.with_noisy_only(), crops=PHOTO.crops)
PAIRS = CleanPhotos("pairs", {}, *(tuple(join_pair(disc, disc // 2) for disc in DISCS) for _ in range(2)))


def test_photographs_must_hold_a_crop(tmp_path: Path) -> None:
    write_images(tmp_path, draw_blobs(3, size=40))
    assert TASK.load([str(tmp_path)], PHOTO).name == tmp_path.name
    with pytest.raises(DataError, match="at least 48"):
        TASK.load([str(tmp_path)], replace(PHOTO, crops=Crops(side_px=48)))
    with pytest.raises(DataError, match="at least 256"):
        TASK.load([str(tmp_path)], PRESETS["photo"].with_noisy_only())


def test_without_clean_images_noise_has_to_be_there_and_pairs_are_refused(tmp_path: Path) -> None:
    config = replace(PHOTO.with_noisy_only(), crops=PHOTO.crops)
    write_images(tmp_path / "clean", draw_blobs(3, size=40))
    with pytest.raises(DataError, match="of these pictures"):
        TASK.load([str(tmp_path / "clean")], config)
    write_pairs(tmp_path / "pairs", draw_blobs(3, size=40), draw_blobs(3, size=40))
    with pytest.raises(DataError, match="pairs: holds pairs"):
        TASK.load([str(tmp_path / "pairs")], config)


def test_networks_can_be_others_than_those_of_the_presets() -> None:
    small = PhotosTask({"photo": partial(build_photo, widths=(4, 6, 8), blocks=(1, 1, 1, 1, 1))})
    assert small.build_network(PHOTO).count_params() < 10_000 < TASK.build_network(PHOTO).count_params()


@pytest.mark.parametrize(
    ("config", "photos"),
    [(PHOTO, PHOTOS), (PHOTO.with_pairs(), PAIRS), (NOISY_ONLY, PHOTOS)],
    ids=["clean", "pairs", "noisy"],
)
def test_batches_and_validation_give_the_network_image_and_level(config: Config, photos: CleanPhotos) -> None:
    batches = TASK.batches(config, config.stages[0], photos)
    assert len(batches) == 2
    inputs, clean = batches[0]
    assert inputs["image"].shape == clean.shape == (3, 16, 16, 3)
    assert inputs["noise_level"].shape == (3,)
    inputs, clean = TASK.validation(config, config.stages[0], photos)
    side = 16 if config is NOISY_ONLY else 32
    assert inputs["image"].shape == clean.shape == (len(clean), side, side, 3)


def test_the_last_stage_learns_cameras_and_scans_too() -> None:
    inputs, clean = TASK.validation(PHOTO, PHOTO.stages[-1], PHOTOS)
    assert inputs["image"].shape == clean.shape == (3 + 2 + 1, 32, 32, 3)


def test_a_part_is_trained_and_validated_on_its_own_images() -> None:
    red = tuple((disc * np.array([1, 0.5, 0.5])).astype(np.uint8) + np.array([9, 0, 0], np.uint8) for disc in DISCS)
    photos = CleanPhotos("red discs", {}, train=red[:2], validation=red[2:])
    for stage in PHOTO.stages[1:]:
        white = replace(stage, noise=RandomLevelNoise())
        for _, clean in (TASK.batches(PHOTO, white, photos)[0], TASK.validation(PHOTO, white, photos)):
            assert {bool(np.ptp(image, axis=-1).max() < 1e-6) for image in clean} == {str(stage.part).endswith("gray")}


def test_noise_without_a_level_is_refused() -> None:
    stage = replace(PHOTO.stages[0], noise=GaussianNoise(0.1))
    with pytest.raises(TypeError, match="without a level"):
        TASK.batches(PHOTO, stage, PHOTOS)
    with pytest.raises(TypeError, match="no crops"):
        TASK.validation(replace(PHOTO, crops=None), PHOTO.stages[0], PHOTOS)
