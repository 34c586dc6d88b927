"""Pictures that are prepared for networks of a fixed size and of any size."""

from typing import Any

import numpy as np
import pytest

from app.imaging.decode import decode_image, open_image
from app.imaging.fit import FittedImage
from app.imaging.full_size import FullSizeImage
from app.processing.options import Options
from app.processing.picture import PreparedPicture, prepare_picture
from tests.app.fakes import ANY_SIZE, NOISE_LEVELS, make_metadata
from tests.app.pictures import encode, gradient, ring

FIXED = make_metadata()
FREE = make_metadata(input=ANY_SIZE)
TOLD = make_metadata(input=ANY_SIZE, noise_level=NOISE_LEVELS)
INKED = make_metadata(input=ANY_SIZE | {"polarity": "light-on-dark"})
COLOUR = np.random.default_rng(0).integers(0, 256, (23, 17, 3)).astype(np.uint8)


def prepared(picture: Any, options: Options) -> PreparedPicture:  # noqa: ANN401  # levels of any kind
    opened = open_image(encode(picture), max_pixels=1_000_000)
    return prepare_picture(decode_image(opened, backdrop=options.backdrop, keeps_color=options.keeps_color), options)


def test_a_picture_is_fitted_to_a_network_of_a_fixed_size() -> None:
    made = prepared(255 - ring(56), Options(FIXED))
    assert isinstance(made.image, FittedImage)
    assert made.image.image.shape == (28, 28)
    source = made.source
    assert (source.format, source.width, source.height, source.pixels) == ("PNG", 56, 56, 56 * 56)
    assert (source.polarity, source.noise_level) == ("dark-on-light", None)


@pytest.mark.parametrize(("keeps_color", "shape"), [(False, (23, 17)), (True, (23, 17, 3))])
def test_for_a_network_of_any_size_colour_is_kept_if_it_is_to_be(keeps_color: bool, shape: tuple[int, ...]) -> None:
    made = prepared(COLOUR, Options(FREE, keeps_color=keeps_color))
    assert isinstance(made.image, FullSizeImage)
    assert made.image.finish().shape == shape
    assert (made.source.height, made.source.width, made.source.polarity) == (23, 17, None)


@pytest.mark.parametrize(
    ("deep", "asked", "dtype"),
    [
        (False, "8", np.uint8), (False, "16", np.uint16), (False, "same", np.uint8),
        (True, "8", np.uint8), (True, "16", np.uint16), (True, "same", np.uint16),
    ],
)  # fmt: skip
def test_the_bit_depth_is_as_asked_or_that_of_the_picture(deep: bool, asked: Any, dtype: type) -> None:  # noqa: ANN401
    levels = gradient().astype(np.uint16) * 257 if deep else gradient()
    made = prepared(levels, Options(FREE, bit_depth=asked))
    assert isinstance(made.image, FullSizeImage)
    assert made.image.finish().dtype == dtype


@pytest.mark.parametrize("model", [TOLD, make_metadata(noise_level=NOISE_LEVELS)], ids=["any size", "fixed size"])
def test_the_noise_level_is_as_given_or_estimated(model: Any) -> None:  # noqa: ANN401
    noisy = np.random.default_rng(0).normal(128, 20, (28, 28)).round().clip(0, 255).astype(np.uint8)
    assert prepared(noisy, Options(model, noise_level=0.3)).source.noise_level == 0.3
    assert prepared(noisy, Options(model)).source.noise_level == pytest.approx(20 / 255, abs=4 / 255)


@pytest.mark.parametrize("polarity", ["light-on-dark", "dark-on-light"])
def test_a_given_polarity_is_that_of_the_picture(polarity: Any) -> None:  # noqa: ANN401
    made = prepared(ring(), Options(INKED, polarity=polarity))
    assert made.source.polarity == polarity
    assert isinstance(made.image, FullSizeImage)
    (whole,) = made.image.passes(1)
    read = whole.read((slice(0, 28), slice(0, 28)))
    assert read[0, 0] == (0 if polarity == "light-on-dark" else 1)
