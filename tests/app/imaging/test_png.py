from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from app.imaging.decode import decode_gray, open_image
from app.imaging.png import STRIP_BYTES, encode_png
from app.imaging.samples import Levels, to_levels
from tests.app.pictures import EXIF_ORIENTATION, encode, gradient


def decode(png: bytes) -> Levels:
    with Image.open(BytesIO(png)) as image:
        return np.asarray(image)


def noise(*shape: int, bits: int = 8) -> Levels:
    return np.random.default_rng(0).integers(0, 2**bits, shape).astype(np.uint8 if bits == 8 else np.uint16)


@pytest.mark.parametrize(
    "levels",
    [noise(1, 1), noise(23, 17), noise(9, 11, 3), noise(23, 17, bits=16), noise(1, 5000), noise(5000, 1)],
    ids=lambda levels: f"{levels.dtype}-{levels.shape}",
)
def test_a_png_holds_every_level(levels: Levels) -> None:
    np.testing.assert_array_equal(decode(encode_png(levels)), levels)


@given(
    st.sampled_from([np.uint8, np.uint16]).flatmap(
        lambda dtype: arrays.arrays(dtype, st.tuples(st.integers(1, 30), st.integers(1, 30)))
    )
    | arrays.arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20), st.just(3)))
)
def test_any_levels_come_back_from_a_png(levels: Levels) -> None:
    np.testing.assert_array_equal(decode(encode_png(levels)), levels)


def test_a_picture_of_many_strips_has_no_seam_between_them() -> None:
    levels = noise(3 * STRIP_BYTES // 1000, 1000)
    np.testing.assert_array_equal(decode(encode_png(levels)), levels)


@pytest.mark.parametrize(
    ("levels", "mode"), [(noise(2, 3), "L"), (noise(2, 3, bits=16), "I;16"), (noise(2, 3, 3), "RGB")]
)
def test_the_header_describes_the_samples(levels: Levels, mode: str) -> None:
    assert Image.open(BytesIO(encode_png(levels))).mode == mode


@pytest.mark.parametrize("levels", [noise(9, 11, 3), noise(9, 11)], ids=["RGB", "gray"])
def test_a_colour_profile_comes_along(levels: Levels) -> None:
    profile = bytes(range(256)) * 20
    png = encode_png(levels, icc_profile=profile)
    assert Image.open(BytesIO(png)).info == {"icc_profile": profile}
    np.testing.assert_array_equal(decode(png), levels)


def test_views_of_other_arrays_can_be_encoded() -> None:
    levels = noise(20, 30)
    np.testing.assert_array_equal(decode(encode_png(levels[::2, ::-1].T)), levels[::2, ::-1].T)


def test_exif_profile_and_text_do_not_reach_the_output() -> None:
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 6
    data = encode(gradient(), "JPEG", exif=exif, icc_profile=b"profile", comment=b"secret")
    encoded = Image.open(BytesIO(encode_png(to_levels(decode_gray(open_image(data, max_pixels=1000), backdrop=1.0)))))
    assert encoded.info == {}
    assert not encoded.getexif()
