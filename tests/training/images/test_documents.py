from dataclasses import replace

import numpy as np
import pytest

from training.images.documents import ScanNoise
from training.images.files import to_8_bit
from training.images.metrics import psnr_db
from training.images.noise import Images

SIDE_PX = 64
PERFECT = ScanNoise(texture=(0, 0), speckle=(1e-12, 1e-12), shot=(1e-9, 1e-9), quality=(98, 98))
WORSE = {
    "texture": replace(PERFECT, texture=(0.02, 0.02)),
    "speckle": replace(PERFECT, speckle=(0.01, 0.01)),
    "sensor": replace(PERFECT, shot=(0.01, 0.01)),
    "jpeg": replace(PERFECT, quality=(20, 20)),
}


def scan(noise: ScanNoise, *, seed: int = 0) -> tuple[Images, Images]:
    return noise.make_pair(SIDE_PX, np.random.default_rng(seed))


def test_most_pages_are_dark_print_on_light_paper() -> None:
    pages = [clean for _, clean in (scan(ScanNoise(), seed=seed) for seed in range(12))]
    assert sum(np.median(page) > 0.6 and page.min() < np.median(page) - 0.3 for page in pages) >= 9


def test_both_sides_hold_what_a_file_of_8_bits_can() -> None:
    for seed in range(3):
        for side in scan(ScanNoise(), seed=seed):
            assert side.shape == (SIDE_PX, SIDE_PX, 3)
            assert side.dtype == np.float32
            np.testing.assert_allclose(side * 255, to_8_bit(side), atol=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_a_perfect_scan_has_the_paper_the_light_and_the_print_of_the_noisy_one(seed: int) -> None:
    noisy, clean = scan(PERFECT, seed=seed)
    assert psnr_db(clean[None], noisy[None]) > 35
    assert np.array_equal(clean, scan(ScanNoise(), seed=seed)[1])


@pytest.mark.parametrize("cause", WORSE)
def test_paper_toner_sensor_and_file_each_make_noise(cause: str) -> None:
    (noisy, clean), (perfect, _) = scan(WORSE[cause]), scan(PERFECT)
    assert np.std(noisy - clean) > 2 * np.std(perfect - clean)


def test_toner_that_went_astray_is_dark() -> None:
    noisy, clean = scan(WORSE["speckle"])
    difference = noisy - clean
    assert difference.min() < -0.3
    assert difference.max() < 0.15


def test_the_same_generator_draws_the_same_page() -> None:
    first, second, third = (scan(ScanNoise(), seed=seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, third)
