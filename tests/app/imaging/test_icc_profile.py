import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from app.imaging.decode import DecodedImage, decode_image, open_image
from app.imaging.icc_profile import MAX_PROFILE_BYTES
from tests.app.pictures import encode, png, png_chunk, tiff
from tests.app.profiles import (
    SRGB,
    cmyk_profile,
    gamma,
    gray_profile,
    parametric,
    profile,
    rgb_profile,
    sampled,
)

LEVELS = np.arange(256, dtype=np.uint8).reshape(16, 16)
DISPLAY_P3 = rgb_profile()
BROKEN = {
    "empty": b"",
    "text": b"profile",
    "a header alone": DISPLAY_P3[:128],
    "cut": DISPLAY_P3[:200],
    "no signature": rgb_profile(signature=b"ascp"),
    "a link of devices": rgb_profile(device_class=b"link"),
    "named colours": rgb_profile(device_class=b"nmcl"),
    "an abstract profile": rgb_profile(device_class=b"abst"),
    "for gray": gray_profile(gamma(1.8)),
    "for CMYK": cmyk_profile(),
    "for Lab": rgb_profile(color_space=b"Lab "),
    "no curves": profile({}),
    "huge": DISPLAY_P3.ljust(MAX_PROFILE_BYTES + 1, b"\0"),
}


def colors() -> NDArray[np.uint8]:
    """Return colours of all kinds, with few that lie outside of sRGB if they are in Display P3."""
    return np.random.default_rng(0).integers(60, 200, (20, 30, 3), np.uint8)


def decode(data: bytes, *, keeps_color: bool = False) -> DecodedImage:
    return decode_image(open_image(data, max_pixels=10_000), backdrop=1.0, keeps_color=keeps_color)


def in_srgb(image: Image.Image, icc_profile: bytes, mode: str = "RGB") -> NDArray[np.uint8]:
    """Convert with littlecms alone."""
    converted = ImageCms.profileToProfile(
        image, ImageCms.ImageCmsProfile(BytesIO(icc_profile)), ImageCms.createProfile("sRGB"), outputMode=mode
    )
    assert converted is not None
    return np.asarray(converted)


def to_srgb(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what sRGB writes for light (IEC 61966-2-1)."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


class TestColor:
    @pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP", "TIFF"])
    def test_it_keeps_its_samples_and_its_profile(self, format_: str) -> None:
        data = encode(colors(), format_, icc_profile=DISPLAY_P3)
        with Image.open(BytesIO(data)) as image:
            expected = np.asarray(image)
        decoded = decode(data, keeps_color=True)
        np.testing.assert_array_equal(decoded.samples, expected)
        assert decoded.icc_profile == DISPLAY_P3

    def test_a_profile_of_srgb_is_kept_too(self) -> None:
        assert decode(encode(colors(), icc_profile=rgb_profile(SRGB)), keeps_color=True).icc_profile

    @pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
    def test_its_gray_is_that_of_srgb(self, mode: str) -> None:
        image = Image.fromarray(colors()).convert(mode)
        decoded = decode(encode(image, icc_profile=DISPLAY_P3))
        expected = np.asarray(Image.fromarray(in_srgb(image.convert("RGB"), DISPLAY_P3)).convert("L"))
        assert np.abs(expected - np.asarray(image.convert("L"), float)).max() > 3
        np.testing.assert_array_equal(decoded.samples, expected)
        assert decoded.icc_profile is None

    def test_its_gray_stays_as_it_is_if_the_profile_says_srgb(self) -> None:
        with_profile, without = (decode(encode(colors(), icc_profile=p)) for p in (rgb_profile(SRGB), None))
        np.testing.assert_array_equal(with_profile.samples, without.samples)

    @pytest.mark.parametrize("name", BROKEN)
    @pytest.mark.parametrize("format_", ["PNG", "TIFF"])
    def test_a_profile_of_no_use_is_ignored(self, name: str, format_: str) -> None:
        for keeps_color in (False, True):
            given, without = (
                decode(encode(colors(), format_, icc_profile=icc_profile), keeps_color=keeps_color)
                for icc_profile in (BROKEN[name], None)
            )
            np.testing.assert_array_equal(given.samples, without.samples)
            assert given.icc_profile is None

    def test_a_tag_that_holds_no_bytes_is_ignored(self) -> None:
        icc_tag, short = 34675, 3
        data = tiff(bytes(range(4)), width=2, height=2, bits=8)
        entry = struct.pack("<HHII", 339, short, 1, 1)
        assert entry in data
        assert decode(data.replace(entry, struct.pack("<HHII", icc_tag, short, 1, 7))).samples.tolist() == [
            [0, 1],
            [2, 3],
        ]


class TestCmyk:
    @pytest.mark.parametrize("keeps_color", [False, True])
    def test_its_profile_is_used_to_read_it(self, keeps_color: bool) -> None:
        inks = Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 30, 4), np.uint8), "CMYK")
        decoded = decode(encode(inks, "TIFF", icc_profile=cmyk_profile()), keeps_color=keeps_color)
        expected = Image.fromarray(in_srgb(inks, cmyk_profile()))
        np.testing.assert_array_equal(decoded.samples, np.asarray(expected if keeps_color else expected.convert("L")))
        assert decoded.icc_profile is None


class TestGray:
    @pytest.mark.parametrize(
        ("curve", "light"),
        [
            (gamma(1.8), lambda x: x ** (round(1.8 * 256) / 256)),
            (sampled(), lambda x: x),
            (sampled(0, 0, 65535), lambda x: np.maximum(0, 2 * x - 1)),
            (parametric(0, 2.2), lambda x: x**2.2),
            (parametric(1, 2, 1.25, -0.25), lambda x: np.maximum(0, 1.25 * x - 0.25) ** 2),
            (parametric(2, 2, 0.5, 0.25, 0.25), lambda x: (0.5 * x + 0.25) ** 2 + 0.25),
            (parametric(3, 3, 1, 0, 0.125, 0.5), lambda x: np.where(x >= 0.5, x**3, x / 8)),
            (parametric(4, 1, 0.5, 0, 1, 0.5, 0.25, 0), lambda x: np.where(x >= 0.5, x / 2 + 0.25, x)),
        ],
        ids=["power", "straight", "sampled", "type 0", "type 1", "type 2", "type 3", "type 4"],
    )
    @pytest.mark.parametrize("format_", ["PNG", "TIFF"])
    def test_it_gets_the_tone_curve_of_srgb(self, curve: bytes, light: Any, format_: str) -> None:  # noqa: ANN401
        expected = to_srgb(light(LEVELS / 255))
        decoded = decode(encode(LEVELS, format_, icc_profile=gray_profile(curve)), keeps_color=True)
        np.testing.assert_allclose(decoded.samples, expected * 255, atol=0.51)
        assert decoded.samples.dtype == np.uint8
        assert decoded.icc_profile is None

    def test_16_bits_are_converted_at_16_bits(self) -> None:
        deep = np.arange(0, 65536, 13, dtype=np.uint16).reshape(2, -1)
        decoded = decode(encode(deep, icc_profile=gray_profile(gamma(2))))
        np.testing.assert_allclose(decoded.samples, to_srgb((deep / 65535) ** 2) * 65535, atol=0.6)

    def test_other_depths_become_16_bits(self) -> None:
        data = tiff(bytes([0x00, 0x0F, 0xFF]), width=2, height=1, bits=12)
        assert decode(data).samples.dtype == np.float32
        start = data.index(struct.pack("<HH", 339, 3))
        icc = gray_profile(gamma(2))
        entry = struct.pack("<HHII", 34675, 7, len(icc), len(data))
        changed = data[:start] + entry + data[start + 12 :] + icc
        np.testing.assert_allclose(decode(changed).samples, [[0, 65535]], atol=300)

    def test_a_curve_of_lightness_is_understood(self) -> None:
        decoded = decode(encode(LEVELS, icc_profile=gray_profile(sampled(), connection_space=b"Lab ")))
        lightness = LEVELS / 255 * 100
        light = np.where(lightness > 8, ((lightness + 16) / 116) ** 3, lightness / 903.3)
        np.testing.assert_allclose(decoded.samples, to_srgb(light) * 255, atol=0.51)

    def test_transparent_pixels_show_the_backdrop(self) -> None:
        data = encode(Image.new("LA", (2, 2), (100, 0)), icc_profile=gray_profile(gamma(1.8)))
        assert (decode(data).samples == 255).all()

    @pytest.mark.parametrize(
        "curve",
        [b"", b"curv", sampled(*range(50))[:40], parametric(5, 1), parametric(4, 1), b"mft2" * 9, parametric(0, -1)],
        ids=["empty", "no count", "cut", "unknown type", "few parameters", "unknown kind", "infinite"],
    )
    def test_a_curve_of_no_use_is_ignored(self, curve: bytes) -> None:
        decoded = decode(encode(LEVELS, icc_profile=gray_profile(curve)))
        np.testing.assert_array_equal(decoded.samples, LEVELS)

    def test_a_profile_without_a_curve_is_ignored(self) -> None:
        decoded = decode(encode(LEVELS, icc_profile=profile({}, color_space=b"GRAY")))
        np.testing.assert_array_equal(decoded.samples, LEVELS)


class TestPng:
    """Pillow refuses a whole PNG for the sake of its profile."""

    @pytest.mark.parametrize(
        "chunk",
        [
            b"huge\0\0" + zlib.compress(bytes(MAX_PROFILE_BYTES + 1)),
            b"method\0\x01" + zlib.compress(DISPLAY_P3),
            b"no end of the name",
            b"not compressed\0\0" + DISPLAY_P3,
        ],
        ids=["huge", "unknown method", "no name", "not compressed"],
    )
    def test_it_is_read_without_a_profile_that_pillow_refuses(self, chunk: bytes) -> None:
        row = b"\0" + bytes([1, 2, 3])
        for extra in (png_chunk(b"iCCP", chunk), png_chunk(b"gAMA", bytes(4)) + png_chunk(b"iCCP", chunk)):
            decoded = decode(png(1, 1, row, colour=2, extra=extra), keeps_color=True)
            assert decoded.samples.tolist() == [[[1, 2, 3]]]
            assert decoded.icc_profile is None

    def test_the_largest_profile_is_kept(self) -> None:
        largest = DISPLAY_P3.ljust(MAX_PROFILE_BYTES, b"\0")
        assert decode(encode(colors(), icc_profile=largest), keeps_color=True).icc_profile == largest

    def test_a_text_that_spells_its_name_is_a_text(self) -> None:
        text = png_chunk(b"tEXt", b"Comment\0iCCP")
        assert decode(png(1, 1, b"\0\7", extra=text)).samples.tolist() == [[7]]
