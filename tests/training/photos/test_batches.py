from dataclasses import replace

import numpy as np
import pytest

from training.config import Crops
from training.images.noise import Images, RandomLevelNoise, RecordedNoise
from training.photos.batches import VALIDATION_LEVELS, Inputs, NoisyCrops, make_validation_crops, scale_photo
from training.photos.data import Photo

CROPS = Crops(side_px=16, scales=(1.0,), steps_per_epoch=3)
NOISELESS = RandomLevelNoise(noiseless=1, rounded=0)


def draw_places(height: int, width: int) -> Photo:
    """Every pixel tells its place: no two 2x2 neighbourhoods are alike."""
    return np.random.default_rng(0).integers(0, 256, (height, width), np.uint8)


PHOTOS = [draw_places(40, 60), draw_places(20, 24)]


def make_crops(
    photos: list[Photo] = PHOTOS, noise: RandomLevelNoise | RecordedNoise = NOISELESS, *, epoch: int = 0, count: int = 8
) -> NoisyCrops:
    batches = NoisyCrops(photos, noise, crops=CROPS, batch_size=count, seed=7)
    batches.start_epoch(epoch)
    return batches


def is_same(one: tuple[Inputs, Images], other: tuple[Inputs, Images]) -> bool:
    return np.array_equal(one[0]["image"], other[0]["image"]) and np.array_equal(one[1], other[1])


def find_place(photo: Photo, crop: Photo) -> tuple[int, int] | None:
    """Top and left of a crop, turned and mirrored in any way."""
    windows = np.lib.stride_tricks.sliding_window_view(photo, crop.shape)
    for mirrored in (crop, np.fliplr(crop)):
        for turns in range(4):
            hits = np.argwhere((windows == np.rot90(mirrored, turns)).all(axis=(2, 3)))
            if len(hits):
                return int(hits[0][0]), int(hits[0][1])
    return None


def test_the_same_epoch_and_step_give_the_same_crops() -> None:
    assert is_same(make_crops(epoch=3)[1], make_crops(epoch=3)[1])


@pytest.mark.parametrize(("epoch", "step"), [(3, 2), (4, 1)])
def test_another_epoch_or_step_gives_other_crops(epoch: int, step: int) -> None:
    assert not is_same(make_crops(epoch=epoch)[step], make_crops(epoch=3)[1])


def test_an_epoch_has_the_steps_of_its_config() -> None:
    assert len(make_crops()) == 3


def test_every_crop_of_every_photograph_is_equally_likely() -> None:
    _, clean = make_crops(count=600)[0]
    crops = np.rint(clean[..., 0] * 255).astype(np.uint8)
    large = [place for crop in crops if (place := find_place(PHOTOS[0], crop))]
    small = [place for crop in crops if (place := find_place(PHOTOS[1], crop))]
    assert len(large) + len(small) == 600
    share = 25 * 45 / (25 * 45 + 5 * 9)  # of the places at which a crop may lie
    assert len(large) / 600 == pytest.approx(share, abs=0.03)
    tops, lefts = np.array(large).T
    assert (tops.min(), tops.max(), lefts.min(), lefts.max()) == (0, 24, 0, 44)
    assert (tops.mean(), lefts.mean()) == (pytest.approx(12, abs=1.5), pytest.approx(22, abs=2.5))


def test_crops_come_in_all_eight_positions() -> None:
    (photo,) = photos = [draw_places(16, 16)]
    _, clean = make_crops(photos, count=200)[0]
    assert len({crop.tobytes() for crop in clean}) == 8
    assert find_place(photo, np.rint(clean[0, ..., 0] * 255).astype(np.uint8)) == (0, 0)


def test_the_network_is_told_the_noise_that_is_there() -> None:
    inputs, clean = make_crops(noise=RandomLevelNoise(rounded=0), count=60)[0]
    found = (inputs["image"] - clean).std(axis=(1, 2, 3))
    np.testing.assert_allclose(found, inputs["noise_level"], rtol=0.2, atol=1e-6)


def test_photographs_are_scaled_as_long_as_they_hold_a_crop() -> None:
    scaled = scale_photo(draw_places(40, 60), replace(CROPS, scales=(1.0, 0.5, 0.3)))
    assert [photo.shape for photo in scaled] == [(40, 60), (20, 30)]


def test_validation_has_central_crops_at_every_level() -> None:
    inputs, clean = make_validation_crops(PHOTOS, NOISELESS, CROPS)
    assert clean.shape == (6, 16, 16, 1)
    np.testing.assert_allclose(clean[0, ..., 0] * 255, PHOTOS[0][12:28, 22:38], atol=1e-4)
    np.testing.assert_allclose(inputs["noise_level"] * 255, np.repeat(VALIDATION_LEVELS, 2), rtol=1e-5)
    found = (inputs["image"] - clean).std(axis=(1, 2, 3))
    np.testing.assert_allclose(found, inputs["noise_level"], rtol=0.15)


def test_validation_is_the_same_every_time() -> None:
    assert is_same(*(make_validation_crops(PHOTOS, NOISELESS, CROPS) for _ in range(2)))


def test_validation_looks_at_larger_crops_where_photographs_are_large_enough() -> None:
    _, clean = make_validation_crops([draw_places(32, 50)], NOISELESS, CROPS)
    assert clean.shape[1:3] == (32, 32)


def make_pair(sigma: float) -> Photo:
    clean = draw_places(24, 24) // 2 + 64
    noise = np.rint(np.random.default_rng(1).normal(0, sigma, clean.shape))
    return np.stack([clean, (clean + noise).clip(0, 255).astype(np.uint8)], axis=-1)


def test_both_images_of_a_pair_are_cut_and_turned_alike() -> None:
    same = np.repeat(draw_places(24, 24)[..., None], 2, axis=-1)
    inputs, clean = make_crops([same], RecordedNoise())[0]
    np.testing.assert_array_equal(inputs["image"], clean)
    assert clean.shape == (8, 16, 16, 1)


def test_of_a_pair_the_network_is_told_the_deviation_of_the_whole_difference() -> None:
    pairs = [make_pair(5), make_pair(20)]
    expected = [float((pair[..., 1].astype(float) - pair[..., 0]).std() / 255) for pair in pairs]
    inputs, _ = make_crops(pairs, RecordedNoise(), count=40)[0]
    np.testing.assert_allclose(np.unique(inputs["noise_level"]), expected, rtol=1e-5)
    validation, clean = make_validation_crops(pairs, RecordedNoise(), CROPS)
    np.testing.assert_allclose(validation["noise_level"], expected, rtol=1e-5)
    assert clean.shape == (2, 16, 16, 1)
    found = (validation["image"] - clean).std(axis=(1, 2, 3))
    np.testing.assert_allclose(found, expected, rtol=0.2)


def test_a_pair_is_not_told_a_level_above_what_the_service_can_tell() -> None:
    pair = np.stack([np.zeros((24, 24), np.uint8), draw_places(24, 24)], axis=-1)
    inputs, _ = make_crops([pair], RecordedNoise(highest=50), count=1)[0]
    np.testing.assert_allclose(inputs["noise_level"] * 255, [50], rtol=1e-5)
