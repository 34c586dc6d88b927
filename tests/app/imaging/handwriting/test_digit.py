"""Digits that are placed like those of MNIST."""

import numpy as np
import pytest

from app.imaging.handwriting.digit import place_digit
from app.imaging.handwriting.ink import find_ink
from app.imaging.placement import Size, put_back
from app.imaging.samples import FloatImage
from tests.app.pictures import centre_of_mass, digit, psnr_db

NETWORK: Size = (28, 28)


def placed(light: FloatImage, size: Size = NETWORK) -> FloatImage:
    """Find the ink in a light-on-dark picture and place it."""
    ink = find_ink(light)
    assert ink is not None
    image, _ = place_digit(light, ink, size)
    return image


@pytest.mark.parametrize("text", list("0123456789"))
@pytest.mark.parametrize("size", [28, 56])
def test_the_digit_fills_20_of_28_pixels_and_its_mass_is_in_the_middle(text: str, size: int) -> None:
    gray = digit(text, height=480, width=640, at=(180, 300), size=120)
    image = placed(gray, (size, size))
    rows, columns = np.nonzero(image > 0.1)
    longer = max(np.ptp(rows), np.ptp(columns)) + 1
    assert abs(longer / size - 20 / 28) <= 1 / 28
    x, y = centre_of_mass(np.clip(image, 0, 1))
    assert (x, y) == pytest.approx((size / 2, size / 2), abs=1)
    assert image.max() == pytest.approx(1, abs=0.05)
    np.testing.assert_array_equal(image[0], 0)


def test_a_digit_at_the_pictures_edge_returns_there() -> None:
    gray = np.zeros((200, 200), np.float32)
    gray[0:100, 0:15] = gray[85:100, 0:60] = 1
    ink = find_ink(gray)
    assert ink is not None
    image, placement = place_digit(gray, ink, NETWORK)
    restored = np.clip(put_back(image, placement, (200, 200)), 0, 1)
    assert centre_of_mass(restored) == pytest.approx(centre_of_mass(gray), abs=4)


def test_uneven_paper_is_removed() -> None:
    shade = np.linspace(0, 0.4, 300, dtype=np.float32)[None, :]
    image = placed(digit() * 0.5 + shade)
    np.testing.assert_array_equal(image[:3], 0)
    assert psnr_db(np.clip(image, 0, 1), np.clip(placed(digit()), 0, 1)) > 20


def test_thin_strokes_are_widened() -> None:
    gray = np.zeros((400, 400), np.float32)
    gray[100:300, 199:202] = gray[100:103, 150:202] = gray[297:300, 150:250] = 1
    image = placed(gray)
    across = image[14]
    assert 1.5 <= across.sum() <= 3.5
    assert across.max() > 0.8
