"""What the options of a picture mean for the noise level."""

import pytest

from app.processing.options import SMALL_SIDE_PX, Choice, Options
from tests.app.fakes import ANY_SIZE, NOISE_LEVELS, make_metadata

DEAF = make_metadata()
TOLD = make_metadata(input=ANY_SIZE, noise_level=NOISE_LEVELS)
FROM_TEN = make_metadata(input=ANY_SIZE, noise_level={"min": 0.1, "max": 0.2})


def test_noise_is_estimated_only_for_a_network_that_takes_a_level_and_is_given_none() -> None:
    assert Options(TOLD).estimates_noise
    assert not Options(TOLD, noise_level=0.0).estimates_noise
    assert not Options(DEAF).estimates_noise


@pytest.mark.parametrize(
    ("level", "strength", "told"), [(0.1, 1, 0.1), (0.1, 0.5, 0.05), (0.1, 2, 0.2), (0.1, 0, 0.0), (0.2, 2, 75 / 255)]
)
def test_strength_scales_the_level_that_the_network_receives(level: float, strength: float, told: float) -> None:
    assert Options(TOLD, strength=strength).told_noise_level(level) == pytest.approx(told)


@pytest.mark.parametrize(("level", "told"), [(0.05, 0.1), (0.15, 0.15), (0.9, 0.2)])
def test_the_network_receives_no_level_outside_its_range(level: float, told: float) -> None:
    assert Options(FROM_TEN).told_noise_level(level) == told


def test_a_network_that_takes_no_level_receives_none() -> None:
    assert Options(DEAF).told_noise_level(0.1) is None
    assert Options(TOLD).told_noise_level(None) is None


@pytest.mark.parametrize("size", [(1, 1), (64, 64), (64, 1)])
def test_a_picture_is_small_up_to_64_pixels_in_width_and_height(size: tuple[int, int]) -> None:
    assert SMALL_SIDE_PX == 64
    choice = Choice(small=Options(DEAF), large=Options(TOLD))
    assert choice.for_size(size).model is DEAF
    assert choice.for_size((size[0], 65)).model is TOLD
    assert choice.for_size((65, size[1])).model is TOLD


def test_a_choice_names_its_model_unless_that_depends_on_the_size() -> None:
    assert Choice.always(Options(DEAF)).model is DEAF
    assert Choice(small=Options(DEAF), large=Options(TOLD)).model is None
