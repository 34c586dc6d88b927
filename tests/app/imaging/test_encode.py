from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.errors import InvalidParameterError
from app.imaging.encode import MAX_AVIF_PIXELS, MAX_SIDES_PX, OutputFormat, check_format, encode_image
from tests.app.pictures import gradient, psnr_db, unit
from tests.app.profiles import rgb_profile

LOSSY: list[OutputFormat] = ["jpeg", "webp", "avif"]


def color() -> NDArray[np.uint8]:
    """Make colours that change from pixel to pixel, but not their brightness: chroma of half the size loses them."""
    levels = np.empty((32, 48, 3), np.uint8)
    levels[:, ::2], levels[:, 1::2] = (200, 60, 60), (20, 140, 140)
    return levels


def decoded(encoded: bytes) -> Image.Image:
    image = Image.open(BytesIO(encoded))
    image.load()
    return image


@pytest.mark.parametrize("output_format", LOSSY)
@pytest.mark.parametrize("levels", [gradient(), np.dstack([gradient()] * 3)], ids=["gray", "RGB"])
def test_a_picture_looks_the_same_in_every_format(levels: NDArray[np.uint8], output_format: OutputFormat) -> None:
    image = decoded(encode_image(levels, output_format))
    assert image.format == output_format.upper()
    shown = np.asarray(image.convert("L" if levels.ndim == 2 else "RGB"))
    assert psnr_db(unit(shown), unit(levels)) > 40


@pytest.mark.parametrize("output_format", ["jpeg", "avif"])
def test_chroma_has_the_full_size(output_format: OutputFormat) -> None:
    shown = np.asarray(decoded(encode_image(color(), output_format, quality=100)))
    np.testing.assert_allclose(shown, color(), atol=4)


@pytest.mark.parametrize("output_format", LOSSY)
def test_a_higher_quality_takes_more_bytes(output_format: OutputFormat) -> None:
    levels = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    sizes = [len(encode_image(levels, output_format, quality=quality)) for quality in (1, 50, 90, 100)]
    assert sizes == sorted(set(sizes))
    assert len(encode_image(levels, output_format)) == sizes[2]


@pytest.mark.parametrize("output_format", ["png", *LOSSY])
def test_a_colour_profile_comes_along(output_format: OutputFormat) -> None:
    large = rgb_profile().ljust(200_000, b"\0")  # more than fits into one segment of a JPEG
    for profile in (None, rgb_profile(), large):
        encoded = encode_image(color(), output_format, icc_profile=profile)
        assert decoded(encoded).info.get("icc_profile") == profile


@pytest.mark.parametrize("output_format", LOSSY)
def test_16_bits_are_for_png_only(output_format: OutputFormat) -> None:
    check_format("png", size=(1, 1), bit_depth=16)
    check_format(output_format, size=(1, 1), bit_depth=8)
    with pytest.raises(InvalidParameterError, match="16 bits"):
        check_format(output_format, size=(1, 1), bit_depth=16)


@pytest.mark.parametrize("output_format", LOSSY)
def test_the_longest_side_can_be_encoded_and_decoded(output_format: OutputFormat) -> None:
    longest = MAX_SIDES_PX[output_format]
    for size in ((1, longest), (longest, 1)):
        check_format(output_format, size=size, bit_depth=8)
    assert decoded(encode_image(np.zeros((1, longest), np.uint8), output_format)).size == (longest, 1)
    for size in ((1, longest + 1), (longest + 1, 1)):
        with pytest.raises(InvalidParameterError, match=f"at most {longest}"):
            check_format(output_format, size=size, bit_depth=8)


def test_an_avif_has_a_limit_on_pixels_because_it_takes_so_much_memory() -> None:
    check_format("avif", size=(MAX_AVIF_PIXELS // 4096, 4096), bit_depth=8)
    with pytest.raises(InvalidParameterError, match=f"at most {MAX_AVIF_PIXELS}"):
        check_format("avif", size=(MAX_AVIF_PIXELS // 4096 + 1, 4096), bit_depth=8)
