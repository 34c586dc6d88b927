import numpy as np
import pytest

from app.imaging.handwriting.polarity import Polarity, judge_polarity
from app.imaging.samples import FloatImage
from tests.app.pictures import digit

SIZES = [(28, 28, 20), (64, 64, 40), (300, 300, 160), (480, 640, 120)]


def picture(polarity: Polarity, height: int, width: int, size: int) -> FloatImage:
    light = digit(height=height, width=width, size=size)
    return light if polarity == "light-on-dark" else 1 - light


@pytest.mark.parametrize("polarity", ["light-on-dark", "dark-on-light"])
@pytest.mark.parametrize(("height", "width", "size"), SIZES)
class TestDrawings:
    def test_clean(self, polarity: Polarity, height: int, width: int, size: int) -> None:
        assert judge_polarity(picture(polarity, height, width, size)) == polarity

    def test_faint(self, polarity: Polarity, height: int, width: int, size: int) -> None:
        assert judge_polarity(picture(polarity, height, width, size) * np.float32(0.3) + np.float32(0.35)) == polarity

    @pytest.mark.parametrize("sigma", [0.1, 0.4])
    def test_noisy(self, polarity: Polarity, height: int, width: int, size: int, sigma: float) -> None:
        gray = picture(polarity, height, width, size)
        noise = np.random.default_rng(1).normal(0, sigma, gray.shape)
        assert judge_polarity((gray + noise).astype(np.float32)) == polarity


@pytest.mark.parametrize("polarity", ["light-on-dark", "dark-on-light"])
@pytest.mark.parametrize("slope", [-0.5, 0.5])
def test_a_shade_across_large_paper_does_not_count(polarity: Polarity, slope: float) -> None:
    shade = np.linspace(-slope / 2, slope / 2, 640, dtype=np.float32)[None, :]
    assert judge_polarity(picture(polarity, 480, 640, 160) * np.float32(0.4) + shade + np.float32(0.3)) == polarity


@pytest.mark.parametrize(("level", "expected"), [(0.1, "light-on-dark"), (0.9, "dark-on-light")])
@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (300, 300), (1, 40000)], ids=str)
def test_blank_paper_is_judged_by_its_brightness(shape: tuple[int, int], level: float, expected: Polarity) -> None:
    assert judge_polarity(np.full(shape, level, np.float32)) == expected
