import numpy as np
import pytest

from app.imaging.noise.blocks import COUNT, Values, describe_blocks
from app.imaging.samples import FloatImage


def describe(image: FloatImage) -> Values:
    described = describe_blocks(lambda first, last: image[first:last], *image.shape)
    assert described is not None
    return described


def noise(level: float, height: int = 200, width: int = 300) -> FloatImage:
    return np.random.default_rng(0).normal(0.5, level / 255, (height, width)).astype(np.float32)


def test_a_picture_is_described_by_as_many_numbers_as_the_network_takes() -> None:
    assert describe(noise(10)).shape == (COUNT,)


def test_the_first_number_is_the_logarithm_of_the_level_of_noise_that_is_everywhere() -> None:
    assert np.exp(describe(noise(10))[0]) == pytest.approx(10, rel=0.15)  # of those that vary little


def test_what_follows_does_not_depend_on_how_strong_the_noise_is() -> None:
    assert describe(noise(8))[1:] == pytest.approx(describe(noise(16))[1:], abs=0.02)


def test_coarse_noise_is_told_from_fine_noise() -> None:
    fine = noise(10)
    coarse = np.kron(fine[::2, ::2], np.ones((2, 2), np.float32))
    assert np.abs(describe(fine) - describe(coarse)).max() > 0.5


@pytest.mark.parametrize("value", [0, 1, -3e38, 3e38])
def test_uniform_pictures_and_samples_far_out_of_range_have_finite_descriptions(value: float) -> None:
    assert np.isfinite(describe(np.full((40, 40), value, np.float32))).all()


@pytest.mark.parametrize("size", [(1, 1), (15, 500), (16, 78), (23, 22)])
def test_pictures_with_few_blocks_are_not_described(size: tuple[int, int]) -> None:
    assert describe_blocks(lambda first, last: np.zeros((last - first, size[1]), np.float32), *size) is None


@pytest.mark.parametrize("size", [(16, 79), (79, 16), (23, 23), (16, 3000), (5000, 17)])
def test_the_smallest_pictures_with_enough_blocks_and_narrow_ones_are_described(size: tuple[int, int]) -> None:
    assert np.isfinite(describe(noise(10, *size))).all()


def test_only_a_sample_of_a_large_picture_is_read() -> None:
    read = 0

    def read_rows(first: int, last: int) -> FloatImage:
        nonlocal read
        read += last - first
        return np.zeros((last - first, 3000), np.float32)

    assert describe_blocks(read_rows, 3000, 3000) is not None
    assert read < 3000
