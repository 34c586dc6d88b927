import numpy as np
import pytest

from tests.training.drawing import draw_blobs
from training.errors import DataError
from training.images.camera import blur
from training.images.noise import Images
from training.photos.neighbours import measure_noise, require_independence, split_neighbours

CLEAN = np.repeat(0.2 + 0.6 * draw_blobs(1, size=160)[0], 3, axis=-1).astype(np.float32)


def add_noise(level: float, *, blur_px: float = 0.0) -> Images:
    noise = np.random.default_rng(0).normal(0, level, CLEAN.shape).astype(np.float32)
    if blur_px:
        noise = blur(noise, blur_px)
        noise *= level / noise.std()
    return CLEAN + noise


@pytest.mark.parametrize("level", [0.02, 0.05, 0.1])
def test_the_level_of_white_noise_is_found(level: float) -> None:
    noise = measure_noise(add_noise(level))
    assert noise.level == pytest.approx(level, rel=0.12)
    assert noise.independence == pytest.approx(1, abs=0.1)


def test_noise_that_neighbours_share_is_noticed() -> None:
    noises = [measure_noise(add_noise(0.05, blur_px=sigma_px)) for sigma_px in (0.0, 0.4, 0.65, 1.0)]
    independences = [noise.independence for noise in noises]
    assert independences == sorted(independences, reverse=True)
    require_independence(noises[:1])
    with pytest.raises(DataError, match="neighbouring pixels of these pictures share their noise"):
        require_independence(noises[2:3])


def test_pictures_without_noise_teach_nothing() -> None:
    with pytest.raises(DataError, match=r"hardly any noise is in these pictures: 0\.0"):
        require_independence([measure_noise(np.full_like(CLEAN, 0.5))])


def test_the_halves_have_two_neighbours_of_each_cell() -> None:
    places = np.arange(7 * 10, dtype=np.float32).reshape(7, 10, 1)  # an odd row is left out
    first, second = split_neighbours(places, np.random.default_rng(3))
    assert first.shape == second.shape == (3, 5, 1)
    rows, columns = np.mgrid[:3, :5]
    for half in (first, second):
        assert (half[..., 0] // 10 // 2 == rows).all()
        assert (half[..., 0] % 10 // 2 == columns).all()
    assert set(np.abs(first - second).ravel()) == {1, 10}  # beside or below each other, never on the diagonal


def test_a_pixel_is_drawn_as_often_as_any_other() -> None:
    numbers = np.tile([[0, 1], [2, 3]], (50, 50))[..., None].astype(np.float32)
    for half in split_neighbours(numbers, np.random.default_rng(0)):
        assert np.bincount(half.astype(int).ravel()) == pytest.approx(625, abs=100)
