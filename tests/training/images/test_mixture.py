import pytest

from training.images.camera import CameraNoise
from training.images.documents import ScanNoise
from training.images.mixture import MixedNoise
from training.images.noise import RandomLevelNoise


def test_a_mixture_says_how_much_there_is_of_what() -> None:
    said = str(MixedNoise(camera_share=0.3, scan_share=0.1, clean_share=0.04))
    assert said == f"56% {RandomLevelNoise()}; 30% {CameraNoise()}; 10% {ScanNoise()}; 4% none"


def test_the_other_kinds_may_leave_no_white_noise() -> None:
    assert str(MixedNoise(camera_share=0.8, scan_share=0.1, clean_share=0.1)).startswith("0% Gaussian")


def test_shares_of_more_than_the_whole_are_refused() -> None:
    with pytest.raises(ValueError, match="more than the whole"):
        MixedNoise(camera_share=0.9, scan_share=0.2)
