from dataclasses import replace

import numpy as np
import pytest

from tests.training.drawing import draw_photo, fill_channels
from training.images.camera import CameraNoise, Photo, add_sensor_noise, blur, compress, draw_log, sharpen
from training.images.files import from_8_bit, to_8_bit
from training.images.luma import GRAY_WEIGHTS
from training.images.noise import Images

PLAIN = CameraNoise(shot=(0.005, 0.005), monochrome=0, blurred=0, sharpened=0, resized=0, compressed=0)
NOISELESS = replace(PLAIN, shot=(1e-9, 1e-9), monochrome_shot=(1e-9, 1e-9))
GRAY = fill_channels(np.full((64, 64), 128, np.uint8))
PHOTO = draw_photo(41, 50)


def take(noise: CameraNoise, photo: Photo = PHOTO, *, scale: float = 1.0, seed: int = 0) -> tuple[Images, Images]:
    return noise.make_pair(photo, scale, np.random.default_rng(seed))


def correlate_neighbours(noise: CameraNoise, *, seed: int = 0) -> float:
    """Return how much the noise of a gray wall is that of the pixel to its left, from -1 to 1."""
    noisy, clean = take(noise, GRAY, seed=seed)
    inner = (noisy - clean)[4:-4, 4:-4]
    return float(np.corrcoef(inner[:, 1:].ravel(), inner[:, :-1].ravel())[0, 1])


@pytest.mark.parametrize(
    "changes", [{}, {"sharpened": 1}, {"monochrome": 1}], ids=["mosaic", "sharpened", "monochrome"]
)
def test_without_noise_both_sides_are_alike(changes: dict[str, float]) -> None:
    noise = replace(NOISELESS, **changes)  # type: ignore[arg-type]
    noisy, clean = take(noise)
    np.testing.assert_allclose(noisy * 255, clean * 255, atol=1.01)


def test_what_the_camera_does_without_noise_is_on_the_clean_side_too() -> None:
    _, plain = take(PLAIN)
    _, sharpened = take(replace(PLAIN, sharpened=1))
    assert sharpened.std() > plain.std() + 0.01


def test_only_the_noisy_side_is_compressed() -> None:
    compressed = replace(NOISELESS, compressed=1, quality=(60, 60))
    noisy, clean = take(compressed)
    assert np.array_equal(clean, take(NOISELESS)[1])
    assert (noisy - clean).std() > 0.02


@pytest.mark.parametrize("seed", range(4))
def test_plain_colours_come_back_from_the_sensor_as_they_were(seed: int) -> None:
    colour = np.array([200, 100, 50], np.uint8)
    _, clean = take(PLAIN, np.broadcast_to(colour, (32, 32, 3)), seed=seed)
    assert np.abs(to_8_bit(clean).astype(int) - colour).max() <= 1


def test_a_monochrome_camera_writes_gray() -> None:
    for side in take(replace(PLAIN, monochrome=1)):
        np.testing.assert_array_equal(side, np.repeat(side[..., :1], 3, axis=-1))


def test_photon_noise_grows_with_the_signal_and_read_noise_does_not() -> None:
    shot = 0.005
    rng = np.random.default_rng(0)
    signals = np.array([0.0, 0.2, 0.8], np.float32)
    light = np.repeat(signals[:, None], 100_000, axis=1)
    dark, dim, bright = (add_sensor_noise(light, shot, rng) - light).var(axis=1)
    assert 0.5 < dark / np.exp(2.18 * np.log(shot) + 1.2) < 2
    assert dim - dark == pytest.approx(0.2 * shot, rel=0.1)
    assert bright - dark == pytest.approx(0.8 * shot, rel=0.1)


def test_demosaicing_makes_the_noise_of_neighbours_alike() -> None:
    assert correlate_neighbours(PLAIN) > 0.4
    assert abs(correlate_neighbours(replace(PLAIN, monochrome=1))) < 0.1


def test_noise_reduction_of_the_camera_makes_it_coarser_and_weaker() -> None:
    reduced = replace(PLAIN, blurred=1, blur_px=(1.0, 1.0))
    assert correlate_neighbours(reduced) > correlate_neighbours(PLAIN) + 0.1
    before, after = (np.std(np.subtract(*take(noise, GRAY))) for noise in (PLAIN, reduced))
    assert after < before


def test_it_makes_chroma_noise_coarser_but_no_weaker_unless_told_so() -> None:
    sides = [take(replace(PLAIN, chroma_blurred=share, chroma_left=(1.0, 1.0)), GRAY) for share in (0, 1)]
    plain, blurred = (np.subtract(*pair)[4:-4, 4:-4] for pair in sides)
    np.testing.assert_allclose(to_luma(blurred), to_luma(plain), atol=0.01)
    chromas = [noise - to_luma(noise) for noise in (plain, blurred)]
    assert chromas[1].std() == pytest.approx(chromas[0].std(), rel=0.15)
    before, after = (np.corrcoef(chroma[:, 1:].ravel(), chroma[:, :-1].ravel())[0, 1] for chroma in chromas)
    assert after > before + 0.2


def to_luma(image: Images) -> Images:
    return (image @ GRAY_WEIGHTS)[..., None]


@pytest.mark.parametrize(("scale", "size"), [(1.0, (41, 50)), (0.7, (29, 35)), (0.5, (20, 25))])
@pytest.mark.parametrize("monochrome", [0, 1])
def test_both_sides_are_scaled(scale: float, size: tuple[int, int], monochrome: float) -> None:
    for side in take(replace(CameraNoise(), monochrome=monochrome), scale=scale):
        assert side.shape == (*size, 3)


def test_scales_are_one_or_in_their_range() -> None:
    rng = np.random.default_rng(0)
    scales = np.array([CameraNoise(resized=0.4, scale=(0.5, 0.9)).draw_scale(rng) for _ in range(1000)])
    assert np.mean(scales == 1) == pytest.approx(0.6, abs=0.05)
    assert 0.5 <= scales.min() < 0.51
    assert 0.89 < scales[scales < 1].max() <= 0.9


def test_both_sides_hold_what_a_file_of_8_bits_can() -> None:
    for seed in range(6):
        for side in take(CameraNoise(), seed=seed):
            assert side.dtype == np.float32
            np.testing.assert_allclose(side * 255, to_8_bit(side), atol=1e-3)


def test_the_same_generator_takes_the_same_picture() -> None:
    first, second, third = (take(CameraNoise(), seed=seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, third)


def test_a_log_uniform_number_is_as_often_below_the_geometric_mean_as_above() -> None:
    rng = np.random.default_rng(0)
    numbers = np.array([draw_log((1e-4, 1e-2), rng) for _ in range(2000)])
    assert np.mean(numbers < 1e-3) == pytest.approx(0.5, abs=0.05)
    assert numbers.min() >= 1e-4
    assert numbers.max() <= 1e-2


def test_blurring_and_sharpening_leave_a_plain_image_as_it_is() -> None:
    plain = np.full((9, 7, 3), 0.3, np.float32)
    np.testing.assert_allclose(blur(plain, 2.0), plain, atol=1e-6)
    np.testing.assert_allclose(sharpen(plain, amount=1.0, sigma_px=2.0), plain, atol=1e-6)


def test_jpeg_of_low_quality_loses_more_and_keeps_the_order_of_colours() -> None:
    image = from_8_bit(fill_channels(PHOTO[..., 0]))
    worse, better = (
        np.abs(compress(image, quality=quality, rng=np.random.default_rng(0)) - image).mean() for quality in (20, 95)
    )
    assert worse > 1.5 * better
    red = np.zeros((16, 16, 3), np.float32)
    red[..., 0] = 0.8
    np.testing.assert_allclose(compress(red, quality=95, rng=np.random.default_rng(0)), red, atol=0.02)
