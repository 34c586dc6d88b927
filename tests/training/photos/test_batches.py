from dataclasses import replace

import numpy as np
import pytest

from tests.training.drawing import draw_photo, join_pair
from training.config import Crops, Part
from training.images.camera import CameraNoise
from training.images.files import to_8_bit
from training.images.luma import measure_level
from training.images.mixture import MixedNoise
from training.images.noise import Images, RandomLevelNoise, RecordedNoise
from training.photos.batches import (
    VALIDATION_LEVELS,
    Inputs,
    NoisyCrops,
    PhotoNoise,
    make_validation_crops,
)
from training.photos.crops import split_pair
from training.photos.data import Photo

CROPS = Crops(side_px=16, full_size=1, steps_per_epoch=3)
NOISELESS = RandomLevelNoise(noiseless=1, rounded=0)
CAMERA_ALONE = MixedNoise(camera_share=1, scan_share=0, clean_share=0)
SCAN_ALONE = MixedNoise(camera_share=0, scan_share=1, clean_share=0)
PHOTOS = [draw_photo(40, 60), draw_photo(20, 24)]


def make_crops(
    photos: list[Photo] = PHOTOS,
    noise: PhotoNoise = NOISELESS,
    *,
    crops: Crops = CROPS,
    epoch: int = 0,
    count: int = 8,
    part: Part | None = None,
) -> NoisyCrops:
    batches = NoisyCrops(photos, noise, crops=crops, batch_size=count, seed=7, part=part)
    batches.start_epoch(epoch)
    return batches


def is_same(one: tuple[Inputs, Images], other: tuple[Inputs, Images]) -> bool:
    return np.array_equal(one[0]["image"], other[0]["image"]) and np.array_equal(one[1], other[1])


def is_gray(images: Images) -> list[bool]:
    return [bool(np.ptp(image, axis=-1).max() < 1e-6) for image in images]


def measure_rms(one: Images, other: Images) -> Images:
    return np.asarray(np.sqrt(np.mean(np.square(one - other), axis=(1, 2, 3))), np.float32)


def measure_levels(noisy: Images, clean: Images) -> Images:
    return np.array([measure_level(*pair) for pair in zip(noisy, clean, strict=True)], np.float32)


def draw_places(height: int, width: int, *, number: int = 0) -> Photo:
    """Every pixel tells its row and its column, and the number of the photograph."""
    rows, columns = np.indices((height, width))
    return np.stack([rows, columns, np.full_like(rows, number)], axis=-1).astype(np.uint8)


def find_places(crops: Photo) -> Photo:
    """Return (N, 2): tops and lefts of crops of ``draw_places``, turned and mirrored in any way."""
    return np.asarray(crops[..., :2].min(axis=(1, 2)))


def test_the_same_epoch_and_step_give_the_same_crops() -> None:
    noise = MixedNoise()
    assert is_same(make_crops(noise=noise, epoch=3)[1], make_crops(noise=noise, epoch=3)[1])


@pytest.mark.parametrize(("epoch", "step"), [(3, 2), (4, 1)])
def test_another_epoch_or_step_gives_other_crops(epoch: int, step: int) -> None:
    assert not is_same(make_crops(epoch=epoch)[step], make_crops(epoch=3)[1])


def test_an_epoch_has_the_steps_of_its_config() -> None:
    assert len(make_crops()) == 3


@pytest.mark.parametrize(
    "noise",
    [RandomLevelNoise(), CAMERA_ALONE, SCAN_ALONE],
    ids=["white", "camera", "scan"],
)
def test_every_other_crop_is_gray(noise: PhotoNoise) -> None:
    inputs, clean = make_crops(noise=noise)[0]
    assert inputs["image"].shape == clean.shape == (8, 16, 16, 3)
    assert {array.dtype for array in (*inputs.values(), clean)} == {np.dtype(np.float32)}
    assert all(is_gray(clean)[1::2])
    assert all(is_gray(inputs["image"])[1::2])


@pytest.mark.parametrize("part", ["white-gray", "gray", "white-colour", "colour"])
def test_a_part_alone_learns_from_crops_of_its_kind(part: Part) -> None:
    wanted = part.endswith("gray")
    assert set(is_gray(make_crops(part=part)[0][1])) == {wanted}
    assert set(is_gray(make_validation_crops(PHOTOS, NOISELESS, CROPS, part=part)[1])) == {wanted}


def test_in_colour_every_channel_has_its_own_noise() -> None:
    inputs, clean = make_crops(noise=RandomLevelNoise(noiseless=0))[0]
    assert not any(is_gray((inputs["image"] - clean)[::2]))


def test_photographs_are_as_likely_as_the_square_root_of_their_crops() -> None:
    _, clean = make_crops([draw_places(40, 60), draw_places(20, 24, number=1)], count=600)[0]
    crops = to_8_bit(clean[::2])
    is_large = crops[:, 0, 0, 2] == 0
    large, small = np.sqrt([25 * 45, 5 * 9])  # of the places at which a crop may lie
    assert is_large.mean() == pytest.approx(large / (large + small), abs=0.06)
    tops, lefts = find_places(crops[is_large]).T
    assert (tops.min(), tops.max(), lefts.min(), lefts.max()) == (0, 24, 0, 44)
    assert (tops.mean(), lefts.mean()) == (pytest.approx(12, abs=1.5), pytest.approx(22, abs=2.5))


def test_crops_come_in_all_eight_positions() -> None:
    _, clean = make_crops([draw_places(16, 16)], count=200)[0]
    assert len({crop.tobytes() for crop in clean[::2]}) == 8


def test_the_share_of_full_size_keeps_its_pixels_and_the_others_are_scaled_down() -> None:
    crops = replace(CROPS, full_size=0.4, min_scale=0.5)
    _, clean = make_crops([draw_places(60, 60)], crops=crops, count=400)[0]
    lengths = np.ptp(clean[::2, ..., 0] * 255, axis=(1, 2))
    is_whole = np.abs(lengths - 15) < 1e-3
    assert is_whole.mean() == pytest.approx(0.4, abs=0.1)  # and a few that are scaled by next to nothing
    assert lengths[~is_whole].min() > 15
    assert 28 < lengths.max() < 32


def test_a_photograph_that_just_holds_a_crop_is_not_scaled() -> None:
    _, clean = make_crops([draw_places(16, 30)], crops=replace(CROPS, full_size=0))[0]
    np.testing.assert_allclose(np.ptp(clean[::2, ..., 0] * 255, axis=(1, 2)), 15, rtol=1e-5)


def test_of_white_noise_the_network_is_told_the_level_that_is_there() -> None:
    inputs, clean = make_crops(noise=RandomLevelNoise(rounded=0), count=60)[0]
    np.testing.assert_allclose(measure_rms(inputs["image"], clean), inputs["noise_level"], rtol=0.2, atol=1e-6)


def test_of_a_camera_and_a_scanner_it_is_told_the_level_of_luma() -> None:
    for noise in (CAMERA_ALONE, SCAN_ALONE):
        inputs, clean = make_crops(noise=replace(noise, level_bias=1, level_error=0))[0]
        measured = np.minimum(measure_levels(inputs["image"], clean), 75 / 255)
        np.testing.assert_allclose(inputs["noise_level"], measured, rtol=1e-4)


def test_that_level_has_a_log_normal_error_and_is_rather_too_low() -> None:
    noise = replace(CAMERA_ALONE, camera=CameraNoise(shot=(0.001, 0.001), monochrome=0))
    inputs, clean = make_crops(noise=noise, count=300)[0]
    errors = np.log(inputs["noise_level"] / measure_levels(inputs["image"], clean))
    assert errors.mean() == pytest.approx(np.log(0.9), abs=0.05)
    assert errors.std() == pytest.approx(0.3, abs=0.04)


def test_no_level_is_told_above_the_highest() -> None:
    noise = replace(CAMERA_ALONE, white=RandomLevelNoise(highest=5), camera=CameraNoise(shot=(0.01, 0.01)))
    inputs, _ = make_crops(noise=noise)[0]
    assert inputs["noise_level"].max() * 255 <= 5.001


def test_of_clean_crops_it_is_told_a_low_level() -> None:
    inputs, clean = make_crops(noise=MixedNoise(camera_share=0, scan_share=0, clean_share=1), count=200)[0]
    np.testing.assert_allclose(inputs["image"], clean, atol=0.002)
    levels = inputs["noise_level"] * 255
    assert (levels.min(), levels.max()) == (pytest.approx(0.3, abs=0.05), pytest.approx(3, abs=0.2))
    assert np.median(levels) == pytest.approx(np.sqrt(0.3 * 3), abs=0.2)


def test_the_kinds_of_noise_have_their_shares() -> None:
    # White noise and the camera's are told by what they do to a black photograph; a scan is not black.
    noise = MixedNoise(
        white=RandomLevelNoise(noiseless=1),
        camera=CameraNoise(shot=(0.01, 0.01), monochrome=0, compressed=0),
        camera_share=0.5,
        scan_share=0.2,
        clean_share=0,
    )
    inputs, clean = make_crops([np.zeros((40, 40, 3), np.uint8)], noise, count=300)[0]
    is_scan = clean.max(axis=(1, 2, 3)) > 0
    is_camera = (inputs["noise_level"] > 0) & ~is_scan
    assert is_scan.mean() == pytest.approx(0.2, abs=0.07)
    assert is_camera.mean() == pytest.approx(0.5, abs=0.08)


def test_validation_has_central_crops_at_every_level() -> None:
    inputs, clean = make_validation_crops(PHOTOS, NOISELESS, CROPS)
    assert clean.shape == (6, 16, 16, 3)
    np.testing.assert_allclose(clean[0] * 255, PHOTOS[0][12:28, 22:38], atol=1e-4)
    assert is_gray(clean) == [False] * 3 + [True] * 3
    np.testing.assert_allclose(inputs["noise_level"] * 255, VALIDATION_LEVELS * 2, rtol=1e-5)
    np.testing.assert_allclose(measure_rms(inputs["image"], clean), inputs["noise_level"], rtol=0.15)


def test_validation_of_mixed_noise_has_cameras_and_scans_too() -> None:
    inputs, clean = make_validation_crops([draw_photo(30, 30)] * 4, MixedNoise(), CROPS)
    assert clean.shape == (4 * (3 + 2) + 2, 16, 16, 3)
    assert inputs["image"].shape == clean.shape
    assert inputs["noise_level"].shape == (22,)


@pytest.mark.parametrize("noise", [NOISELESS, MixedNoise()], ids=["white", "mixed"])
def test_validation_is_the_same_every_time(noise: PhotoNoise) -> None:
    assert is_same(*(make_validation_crops(PHOTOS, noise, CROPS) for _ in range(2)))


def test_validation_looks_at_larger_crops_where_photographs_are_large_enough() -> None:
    _, clean = make_validation_crops([draw_photo(40, 50)], MixedNoise(), CROPS)
    assert clean.shape[1:3] == (32, 32)


def make_pair(sigma: float) -> Photo:
    clean = draw_photo(24, 24) // 2 + 64
    noise = np.rint(np.random.default_rng(1).normal(0, sigma, clean.shape))
    return join_pair(clean, (clean + noise).clip(0, 255).astype(np.uint8))


def test_both_images_of_a_pair_are_cut_and_turned_alike() -> None:
    same = join_pair(PHOTOS[1], PHOTOS[1])
    inputs, clean = make_crops([same], RecordedNoise())[0]
    np.testing.assert_array_equal(inputs["image"], clean)
    assert clean.shape == (8, 16, 16, 3)
    assert is_gray(clean) == [False, True] * 4


def test_of_a_pair_the_network_is_told_the_level_of_the_whole_picture() -> None:
    pairs = [make_pair(5), make_pair(20)]
    levels = [[split_pair(pair, RecordedNoise(), is_gray=is_gray).level for pair in pairs] for is_gray in (False, True)]
    np.testing.assert_allclose(np.multiply(levels[0], 255), [5, 20], rtol=0.1)
    inputs, _ = make_crops(pairs, RecordedNoise(), count=40)[0]
    for place, expected in enumerate(levels):
        np.testing.assert_allclose(np.unique(inputs["noise_level"][place::2]), expected, rtol=1e-5)
    validation, clean = make_validation_crops(pairs, RecordedNoise(), CROPS)
    np.testing.assert_allclose(validation["noise_level"], [levels[0][0], levels[1][1]], rtol=1e-5)
    assert clean.shape == (2, 16, 16, 3)
    np.testing.assert_allclose(measure_rms(validation["image"], clean), validation["noise_level"], rtol=0.2)


def test_a_pair_is_not_told_a_level_above_what_the_service_can_tell() -> None:
    pair = join_pair(np.zeros((24, 24, 3), np.uint8), draw_photo(24, 24))
    inputs, _ = make_crops([pair], RecordedNoise(highest=50), count=1)[0]
    np.testing.assert_allclose(inputs["noise_level"] * 255, [50], rtol=1e-5)
