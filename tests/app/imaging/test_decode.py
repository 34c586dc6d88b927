import random
import struct
import subprocess
import sys
import warnings
from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.errors import DenoiserError, ImageTooLargeError, InvalidImageError, UnsupportedFormatError
from app.imaging.decode import MAX_SIDE_PX, OpenedImage, decode_gray, decode_image, open_image
from app.imaging.formats import ACCEPTED_FORMATS
from app.imaging.samples import FloatImage
from tests.app.pictures import (
    EXIF_ORIENTATION,
    ROTATIONS,
    bmp_announcing,
    encode,
    gif,
    gradient,
    huge_png,
    jpeg_announcing,
    pack_12_bit,
    palette_picture,
    png,
    png_chunk,
    psnr_db,
    sample_files,
    tiff,
    unit,
    webp_announcing,
)

MAX_PIXELS = 1_000_000
SAMPLES = sample_files()

WHITE, BLACK = 1.0, 0.0


def decode(data: bytes, *, backdrop: float = WHITE) -> FloatImage:
    return decode_gray(open_image(data, max_pixels=MAX_PIXELS), backdrop=backdrop)


def luma(rgb: NDArray[np.uint8]) -> FloatImage:
    """Return BT.601 luma, in [0, 1]."""
    weights = np.array([0.299, 0.587, 0.114])
    return np.asarray((rgb @ weights) / 255, np.float32)


def deep_gray() -> NDArray[np.uint16]:
    """Return each of the 65,536 levels once."""
    return np.arange(65536, dtype=np.uint16).reshape(256, 256)


class TestFormats:
    @pytest.mark.parametrize("name", SAMPLES)
    def test_every_accepted_format_is_decoded_to_float32_of_the_announced_size(self, name: str) -> None:
        opened = open_image(SAMPLES[name], max_pixels=MAX_PIXELS)
        gray = decode_gray(opened, backdrop=WHITE)
        assert gray.dtype == np.float32
        assert gray.size == opened.pixels
        assert gray.min() >= 0
        assert gray.max() <= 1

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("png-gray", "PNG"),
            ("jpeg-gray", "JPEG"),
            ("mpo", "JPEG"),
            ("webp-lossy", "WebP"),
            ("avif", "AVIF"),
            ("heic", "HEIC"),
            ("bmp-gray", "BMP"),
            ("tiff-gray", "TIFF"),
            ("gif", "GIF"),
            ("pnm-gray", "PNM"),
        ],
    )
    def test_the_content_decides_the_format(self, name: str, expected: str) -> None:
        assert open_image(SAMPLES[name], max_pixels=MAX_PIXELS).format == expected

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\0",
            b"hello, world",
            b"P",
            b"BMW is a make of cars, whose name starts as a bitmap does",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            b"%PDF-1.7\n",
            b"RIFF\x24\0\0\0WAVEfmt ",
            b"PK\x03\x04",
            b"\0\0\0\x20ftypmp42",
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
            bytes(1000),
        ],
        ids=["empty", "zero", "text", "P", "BM", "svg", "pdf", "wav", "zip", "mp4", "eps", "zeros"],
    )
    def test_a_format_that_is_not_accepted_is_refused_with_a_list_of_those_that_are(self, data: bytes) -> None:
        with pytest.raises(UnsupportedFormatError) as refusal:
            open_image(data, max_pixels=MAX_PIXELS)
        assert refusal.value.names == ACCEPTED_FORMATS

    @pytest.mark.parametrize("image_format", ["ICO", "TGA", "PCX", "JPEG2000", "SGI"])
    def test_a_format_that_only_pillow_knows_is_refused(self, image_format: str) -> None:
        with pytest.raises(UnsupportedFormatError):
            open_image(encode(Image.new("RGB", (16, 16)), image_format), max_pixels=MAX_PIXELS)


class TestIntegerGray:
    @pytest.mark.parametrize("image_format", ["PNG", "TIFF", "BMP", "PPM"])
    def test_8_bit_gray_is_scaled_by_255(self, image_format: str) -> None:
        levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
        np.testing.assert_array_equal(decode(encode(levels, image_format)), levels / np.float32(255))

    @pytest.mark.parametrize("image_format", ["PNG", "TIFF", "PPM"])
    def test_16_bit_gray_keeps_all_levels(self, image_format: str) -> None:
        levels = deep_gray()
        np.testing.assert_array_equal(decode(encode(levels, image_format)), levels / np.float32(65535))

    @pytest.mark.parametrize("byte_order", ["<", ">"], ids=["little-endian", "big-endian"])
    def test_16_bit_tiff_keeps_all_levels_in_both_byte_orders(self, byte_order: str) -> None:
        levels = deep_gray()
        data = tiff(levels.astype(f"{byte_order}u2").tobytes(), width=256, height=256, bits=16, byte_order=byte_order)
        np.testing.assert_array_equal(decode(data), levels / np.float32(65535))

    def test_12_bit_tiff_is_scaled_by_4095(self) -> None:
        levels = np.arange(4096, dtype=np.uint16).reshape(64, 64)
        data = tiff(pack_12_bit(levels), width=64, height=64, bits=12)
        np.testing.assert_array_equal(decode(data), levels / np.float32(4095))

    @pytest.mark.parametrize(("bits", "kind"), [(8, "u1"), (16, "<u2")])
    def test_white_is_zero_tiff_is_inverted(self, bits: int, kind: str) -> None:
        largest = 2**bits - 1
        levels = np.array([[0, 1], [largest - 1, largest]]).astype(kind)
        gray = decode(tiff(levels.tobytes(), width=2, height=2, bits=bits, photometric=0))
        np.testing.assert_allclose(gray, 1 - levels / np.float32(largest), atol=1e-7)

    def test_16_bit_plain_pnm_with_an_unusual_maximum_is_scaled_by_it(self) -> None:
        np.testing.assert_allclose(decode(b"P2 3 1 1000 0 500 1000 "), [[0, 0.5, 1]], atol=1e-5)

    def test_1_bit_is_black_and_white(self) -> None:
        bits = np.eye(17, dtype=np.bool_)
        np.testing.assert_array_equal(decode(encode(Image.fromarray(bits))), bits.astype(np.float32))

    @pytest.mark.parametrize(
        ("bits", "sample_format", "kind"), [(32, 1, "<u4"), (32, 2, "<i4"), (16, 2, "<i2")], ids=["u32", "i32", "i16"]
    )
    def test_signed_or_wider_integers_are_refused(self, bits: int, sample_format: int, kind: str) -> None:
        samples = np.arange(4).astype(kind).tobytes()
        with pytest.raises(InvalidImageError, match="signed or have more than 16 bits"):
            decode(tiff(samples, width=2, height=2, bits=bits, sample_format=sample_format))

    @pytest.mark.parametrize("backdrop", [WHITE, BLACK], ids=["white", "black"])
    def test_a_transparent_level_of_16_bit_gray_shows_the_backdrop(self, backdrop: float) -> None:
        rows = b"".join(b"\0" + struct.pack(">2H", *row) for row in [(1000, 40000), (40001, 65535)])
        data = png(2, 2, rows, bits=16, extra=png_chunk(b"tRNS", struct.pack(">H", 40000)))
        expected = np.array([[1000 / 65535, backdrop], [40001 / 65535, 1]], np.float32)
        np.testing.assert_allclose(decode(data, backdrop=backdrop), expected, atol=1e-6)


class TestFloat:
    @pytest.mark.parametrize("byte_order", ["<", ">"], ids=["little-endian", "big-endian"])
    def test_float_tiff_keeps_its_values_even_outside_the_nominal_range(self, byte_order: str) -> None:
        values = np.array([[-3.5, 0, 0.25], [1, 1.75, 1e6]], np.float32)
        data = tiff(
            values.astype(f"{byte_order}f4").tobytes(),
            width=3,
            height=2,
            bits=32,
            sample_format=3,
            byte_order=byte_order,
        )
        np.testing.assert_array_equal(decode(data), values)

    def test_float_pnm_keeps_its_values(self) -> None:
        values = np.array([[-3.5, 0, 0.25], [1, 1.75, 1e6]], np.float32)
        np.testing.assert_array_equal(decode(encode(values, "PPM")), values)

    @pytest.mark.parametrize("value", [1e10, -3e38])
    def test_samples_far_beyond_any_picture_are_refused(self, value: float) -> None:
        with pytest.raises(InvalidImageError, match="float samples are nominally from 0 to 1"):
            decode(encode(np.array([[0.5, value]], np.float32), "TIFF"))

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_nan_and_infinite_samples_are_refused(self, value: float) -> None:
        with pytest.raises(InvalidImageError, match="NaN or infinite"):
            decode(encode(np.array([[0.5, value]], np.float32), "TIFF"))


class TestColour:
    def test_rgb_becomes_bt_601_luma(self) -> None:
        rgb = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [12, 200, 77]]], np.uint8)
        np.testing.assert_allclose(decode(encode(rgb)), luma(rgb), atol=0.51 / 255)

    def test_16_bit_colour_is_read_at_8_bits(self) -> None:
        rows = b"\0" + struct.pack(">6H", 65535, 0, 0, 0x1234, 0x5678, 0x9ABC)
        expected = luma(np.array([[[255, 0, 0], [0x12, 0x56, 0x9A]]], np.uint8))
        np.testing.assert_allclose(decode(png(2, 1, rows, bits=16, colour=2)), expected, atol=1.01 / 255)

    def test_a_palette_shows_its_colours(self) -> None:
        image, rgb = palette_picture()
        np.testing.assert_allclose(decode(encode(image)), luma(rgb), atol=0.51 / 255)

    @pytest.mark.parametrize("backdrop", [WHITE, BLACK], ids=["white", "black"])
    @pytest.mark.parametrize("image_format", ["PNG", "GIF"])
    def test_a_transparent_palette_entry_shows_the_backdrop(self, backdrop: float, image_format: str) -> None:
        image, rgb = palette_picture(transparent=2)
        expected = np.where((rgb == (0, 0, 255)).all(axis=-1), backdrop, luma(rgb))
        gray = decode(encode(image, image_format, transparency=2), backdrop=backdrop)
        np.testing.assert_allclose(gray, expected, atol=0.51 / 255)

    @pytest.mark.parametrize("backdrop", [WHITE, BLACK], ids=["white", "black"])
    @pytest.mark.parametrize("mode", ["RGBA", "LA"])
    def test_alpha_is_composited_on_the_backdrop(self, backdrop: float, mode: str) -> None:
        gray, alpha = gradient(), gradient().T.copy().reshape(23, 17)
        image = Image.merge("LA", [Image.fromarray(gray), Image.fromarray(alpha)]).convert(mode)
        share = alpha / 255
        expected = gray / 255 * share + backdrop * (1 - share)
        np.testing.assert_allclose(decode(encode(image), backdrop=backdrop), expected, atol=1.01 / 255)

    def test_premultiplied_alpha_is_not_multiplied_again(self) -> None:
        data = encode(Image.new("RGBA", (2, 2), (100, 50, 25, 128)), "TIFF")
        unassociated, associated = (struct.pack("<HHIHH", 338, 3, 1, kind, 0) for kind in (2, 1))
        assert unassociated in data
        gray = decode(data.replace(unassociated, associated))
        expected = luma(np.array([100, 50, 25], np.uint8)) + (1 - 128 / 255)
        np.testing.assert_allclose(gray, np.full((2, 2), expected), atol=2 / 255)

    @pytest.mark.parametrize("backdrop", [WHITE, BLACK], ids=["white", "black"])
    def test_a_transparent_colour_of_1_bit_gray_shows_the_backdrop(self, backdrop: float) -> None:
        data = png(2, 1, b"\0\x40", bits=1, extra=png_chunk(b"tRNS", b"\0\0"))
        np.testing.assert_array_equal(decode(data, backdrop=backdrop), [[backdrop, 1]])

    def test_cmyk_jpeg_looks_like_its_rgb(self) -> None:
        colour = Image.fromarray(np.dstack([gradient(64, 64), gradient(64, 64)[::-1], gradient(64, 64)[:, ::-1]]))
        expected = luma(np.asarray(colour))
        data = encode(colour.convert("CMYK"), "JPEG", quality=95)
        assert psnr_db(decode(data), expected) > 35

    def test_ycbcr_tiff_looks_like_its_rgb(self) -> None:
        colour = Image.fromarray(np.dstack([gradient(), gradient()[::-1], gradient()[:, ::-1]]))
        assert psnr_db(decode(encode(colour.convert("YCbCr"), "TIFF")), luma(np.asarray(colour))) > 35

    def test_lab_tiff_looks_like_its_rgb(self) -> None:
        lab = Image.frombytes("LAB", (2, 1), bytes([0, 0, 0, 255, 0, 0]))
        np.testing.assert_allclose(decode(encode(lab, "TIFF")), [[0, 1]], atol=1.01 / 255)


class TestOrientation:
    @pytest.mark.parametrize("orientation", ROTATIONS)
    @pytest.mark.parametrize("image_format", ["JPEG", "PNG", "TIFF", "WEBP"])
    def test_the_picture_is_turned_upright(self, image_format: str, orientation: int) -> None:
        upright = Image.fromarray(gradient(46, 34))
        rotation = ROTATIONS[orientation]
        stored = upright if rotation is None else upright.transpose(rotation)
        exif = Image.Exif()
        exif[EXIF_ORIENTATION] = orientation
        gray = decode(encode(stored, image_format, exif=exif))
        assert gray.shape == (46, 34)
        assert psnr_db(gray, unit(upright)) > 35

    @pytest.mark.parametrize("orientation", ROTATIONS)
    @pytest.mark.parametrize("byte_order", ["<", ">"], ids=["little-endian", "big-endian"])
    def test_a_16_bit_tiff_is_turned_upright_with_all_levels(self, orientation: int, byte_order: str) -> None:
        upright = Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3))
        rotation = ROTATIONS[orientation]
        stored = np.asarray(upright if rotation is None else upright.transpose(rotation), np.uint16) * 10007
        samples = stored.astype(f"{byte_order}u2").tobytes()
        data = tiff(
            samples,
            width=stored.shape[1],
            height=stored.shape[0],
            bits=16,
            byte_order=byte_order,
            orientation=orientation,
        )
        np.testing.assert_allclose(decode(data), np.asarray(upright, np.float32) * 10007 / 65535, atol=1e-6)

    @pytest.mark.parametrize(
        "exif",
        [
            b"Exif\0\0",
            b"Exif\0\0garbage",
            b"Exif\0\0MM\0*\xff\xff\xff\xff",
            b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01\x05\0\xff\xff\xff\xff" * 8,
        ],
        ids=["empty", "garbage", "offset", "entries"],
    )
    @pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
    @pytest.mark.filterwarnings("ignore")
    def test_broken_exif_is_ignored(self, exif: bytes, image_format: str) -> None:
        picture = gradient()
        gray = decode(encode(picture, image_format, exif=exif))
        assert psnr_db(gray, unit(picture)) > 30

    def test_an_orientation_that_is_not_a_number_is_ignored(self) -> None:
        exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHI4s", EXIF_ORIENTATION, 2, 3, b"up\0\0") + bytes(4)
        np.testing.assert_array_equal(decode(encode(gradient(), exif=exif)), unit(gradient()))


class TestFrames:
    @pytest.mark.parametrize("image_format", ["GIF", "WEBP", "TIFF", "PNG"])
    def test_the_first_frame_counts(self, image_format: str) -> None:
        first = gradient(64, 48)
        others = [Image.fromarray(255 - first), Image.fromarray(first // 2)]
        data = encode(Image.fromarray(first), image_format, save_all=True, append_images=others)
        assert psnr_db(decode(data), unit(first)) > 30


class TestSizes:
    @pytest.mark.parametrize(
        "shape", [(1, 1), (23, 17), (1, 300), (300, 1)], ids=["1x1", "17x23", "one row", "one column"]
    )
    @pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM"])
    def test_odd_sizes_keep_their_shape_and_their_content(self, shape: tuple[int, int], image_format: str) -> None:
        picture = gradient(*shape)
        gray = decode(encode(picture, image_format))
        assert gray.shape == shape
        assert psnr_db(gray, unit(picture)) > 30

    def test_as_many_pixels_as_the_limit_are_accepted(self) -> None:
        assert open_image(encode(gradient(10, 20)), max_pixels=200).pixels == 200

    def test_one_pixel_more_than_the_limit_is_refused_with_the_limit(self) -> None:
        with pytest.raises(ImageTooLargeError, match="20 x 10 = 200 pixels; at most 199") as refusal:
            open_image(encode(gradient(10, 20)), max_pixels=199)
        assert refusal.value.limit == 199

    @pytest.mark.parametrize(
        "data",
        [
            huge_png(30000, 30000),
            jpeg_announcing(30000, 30000),
            webp_announcing(16383, 16383),
            encode(Image.new("L", (16383, 65)), "WEBP", quality=1),
            encode(Image.new("L", (16383, 65)), "WEBP", lossless=True, quality=0, method=0),
            bmp_announcing(30000, 30000),
            tiff(b"", width=30000, height=30000, bits=16),
            gif((30000, 30000), (1, 1)),
            gif((1, 1), (30000, 30000), disposal=2),
            b"P5 30000 30000 255 ",
            b"P1 30000 30000 ",
            b"Pf 30000 30000 -1.0 ",
        ],
        ids=[
            "png",
            "jpeg",
            "webp-animated",
            "webp-lossy",
            "webp-lossless",
            "bmp",
            "tiff",
            "gif",
            "gif-frame",
            "pgm",
            "pbm",
            "pfm",
        ],
    )
    def test_a_size_over_the_limit_is_refused_from_the_header(self, data: bytes) -> None:
        with pytest.raises(ImageTooLargeError):
            open_image(data, max_pixels=MAX_PIXELS)

    @pytest.mark.parametrize(
        "data",
        [
            png(0, 5, b""),
            jpeg_announcing(0, 5),
            bmp_announcing(0, 5),
            tiff(b"", width=0, height=5, bits=8),
            gif((0, 0), (0, 0)),
            b"P5 0 5 255 ",
            b"P5 -3 -5 255 ",
        ],
        ids=["png", "jpeg", "bmp", "tiff", "gif", "pnm", "pnm-negative"],
    )
    def test_an_image_without_pixels_is_invalid(self, data: bytes) -> None:
        with pytest.raises(InvalidImageError):
            decode(data)

    @pytest.mark.parametrize("size", [(MAX_SIDE_PX + 1, 1), (1, MAX_SIDE_PX + 1)], ids=["wide", "high"])
    def test_a_side_over_the_limit_is_refused_from_the_header(self, size: tuple[int, int]) -> None:
        with pytest.raises(ImageTooLargeError, match="a side may have at most 65535") as refusal:
            open_image(bmp_announcing(*size), max_pixels=MAX_PIXELS)
        assert refusal.value.limit == MAX_SIDE_PX

    def test_opening_does_not_allocate_an_announced_size(self) -> None:
        files = [
            gif((60000, 60000), (60000, 60000), disposal=2),
            gif((1, 1), (60000, 60000), disposal=2),
            webp_announcing(16383, 16383),
            tiff(b"", width=60000, height=60000, bits=16),
        ]
        program = """if True:
            import re, resource, sys
            from pathlib import Path
            from app.errors import ImageTooLargeError
            from app.imaging.decode import open_image
            resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
            for file in sys.argv[1:]:
                try:
                    open_image(bytes.fromhex(file), max_pixels=40_000_000)
                except ImageTooLargeError:
                    print("refused")
            # not ru_maxrss: a new process inherits that of the one that started it
            print(re.findall(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[0])
        """
        run = subprocess.run(
            [sys.executable, "-c", program, *(file.hex() for file in files)], capture_output=True, text=True, check=True
        )
        *verdicts, peak_kib = run.stdout.split()
        assert verdicts == ["refused"] * len(files)
        assert int(peak_kib) < 200 * 1024


def damaged(data: bytes) -> Iterator[bytes]:
    """Yield files cut at about 100 lengths, and with some bytes changed, more often those of the header."""
    for length in range(0, len(data), max(1, len(data) // 100)):
        yield data[:length]
    chance = random.Random(len(data))  # noqa: S311  # not for secrets
    for _ in range(100):
        changed = bytearray(data)
        for _ in range(chance.choice([1, 1, 2, 4, 16])):
            changed[chance.randrange(chance.choice([len(data), min(len(data), 80)]))] = chance.randrange(256)
        yield bytes(changed)


class HungryImage(Image.Image):
    """Runs out of memory when it is loaded."""

    def load(self) -> None:
        raise MemoryError


class TestDamage:
    @pytest.mark.parametrize("filters", ["error", "ignore"])
    @pytest.mark.parametrize("name", SAMPLES)
    def test_a_damaged_file_is_decoded_or_refused_with_an_error_of_ours(self, name: str, filters: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter(filters)  # type: ignore[arg-type]
            for data in damaged(SAMPLES[name]):
                try:
                    opened = open_image(data, max_pixels=MAX_PIXELS)
                    gray = decode_gray(opened, backdrop=WHITE)
                except (InvalidImageError, UnsupportedFormatError, ImageTooLargeError):
                    continue
                assert gray.dtype == np.float32
                assert gray.size == opened.pixels

    @pytest.mark.parametrize(
        "name", ["png-gray", "jpeg-gray", "webp-lossy", "bmp-gray", "tiff-gray", "tiff-lzw", "gif", "pnm-gray"]
    )
    def test_a_truncated_body_is_invalid(self, name: str) -> None:
        data = SAMPLES[name]
        with pytest.raises(InvalidImageError):
            decode(data[: len(data) * 2 // 3])

    @pytest.mark.parametrize("name", ["png-gray", "jpeg-gray", "bmp-gray", "tiff-gray", "gif", "pnm-gray"])
    def test_a_truncated_header_is_invalid(self, name: str) -> None:
        lengths = {"png-gray": 20, "jpeg-gray": 12, "bmp-gray": 20, "tiff-gray": 12, "gif": 10, "pnm-gray": 7}
        with pytest.raises(InvalidImageError, match="header"):
            open_image(SAMPLES[name][: lengths[name]], max_pixels=MAX_PIXELS)

    def test_pillows_warnings_about_a_damaged_file_stay_off_stderr(self) -> None:
        exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x9286, 7, 1000, 8) + bytes(4)
        data = encode(gradient(), "JPEG", exif=exif)
        with pytest.warns(UserWarning, match=r"EXIF|Tag data"):
            Image.open(BytesIO(data)).getexif().get(1)
        program = """if True:
            import sys
            from app.imaging.decode import decode_gray, open_image
            decode_gray(open_image(bytes.fromhex(sys.argv[1]), max_pixels=1000), backdrop=1)
        """
        run = subprocess.run([sys.executable, "-c", program, data.hex()], capture_output=True, text=True, check=True)
        assert run.stderr == ""

    def test_running_out_of_memory_is_not_blamed_on_the_image(self) -> None:
        with pytest.raises(MemoryError):
            decode_gray(OpenedImage(format="PNG", size=(1, 1), pillow=HungryImage()), backdrop=WHITE)

    def test_every_refusal_is_safe_to_show(self) -> None:
        for data in (b"text", SAMPLES["png-gray"][:20], SAMPLES["png-gray"][:80], webp_announcing(9000, 9000)):
            with pytest.raises(DenoiserError) as refusal:
                decode(data)
            assert "Error" not in str(refusal.value)
            assert "0x" not in str(refusal.value)


class TestSamples:
    def test_they_have_the_smallest_type_that_holds_them(self) -> None:
        gray = gradient()
        sources = [encode(gray), encode(gray.astype(np.uint16) * 257), encode(unit(gray), "TIFF")]
        opened = [open_image(data, max_pixels=MAX_PIXELS) for data in sources]
        kinds = [decode_image(image, backdrop=WHITE).samples.dtype for image in opened]
        assert kinds == [np.uint8, np.uint16, np.float32]

    def test_16_bit_gray_keeps_every_level(self) -> None:
        levels = np.arange(65536, dtype=np.uint16).reshape(256, 256)
        samples = decode_image(open_image(encode(levels), max_pixels=MAX_PIXELS), backdrop=WHITE).samples
        np.testing.assert_array_equal(samples, levels)

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "P"])
    def test_gray_stays_gray_if_colour_is_kept(self, mode: str) -> None:
        data = encode(Image.fromarray(gradient()).convert(mode))
        samples = decode_image(open_image(data, max_pixels=MAX_PIXELS), backdrop=WHITE, keeps_color=True).samples
        assert samples.shape == gradient().shape

    @pytest.mark.parametrize(("mode", "format_"), [("RGB", "PNG"), ("RGBA", "PNG"), ("P", "PNG"), ("CMYK", "TIFF")])
    def test_colour_is_kept_on_request(self, mode: str, format_: str) -> None:
        color = Image.new("RGB", (5, 4), (204, 102, 51))  # also of the web palette
        opened = open_image(encode(color.convert(mode), format_), max_pixels=MAX_PIXELS)
        samples = decode_image(opened, backdrop=WHITE, keeps_color=True).samples
        assert samples.dtype == np.uint8
        np.testing.assert_allclose(samples, np.broadcast_to((204, 102, 51), (4, 5, 3)), atol=1)

    def test_colour_in_a_single_pixel_is_colour(self) -> None:
        picture = Image.new("RGB", (70, 200), (90, 90, 90))
        picture.putpixel((69, 199), (90, 90, 91))
        opened = open_image(encode(picture), max_pixels=MAX_PIXELS)
        samples = decode_image(opened, backdrop=WHITE, keeps_color=True).samples
        np.testing.assert_array_equal(samples, np.asarray(picture))

    def test_transparent_colour_is_blended_with_the_backdrop(self) -> None:
        opened = open_image(encode(Image.new("RGBA", (1, 1), (200, 100, 50, 51))), max_pixels=MAX_PIXELS)
        samples = decode_image(opened, backdrop=WHITE, keeps_color=True).samples
        np.testing.assert_allclose(samples[0, 0], (244, 224, 214), atol=1)

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_colour_is_turned_upright_like_gray(self, orientation: int) -> None:
        exif = Image.Exif()
        exif[EXIF_ORIENTATION] = orientation
        data = encode(
            Image.merge("RGB", [Image.fromarray(plane) for plane in (gradient(), gradient() // 2, gradient())]),
            "PNG",
            exif=exif,
        )
        gray, color = (
            decode_image(open_image(data, max_pixels=MAX_PIXELS), backdrop=WHITE, keeps_color=keeps).samples
            for keeps in (False, True)
        )
        assert color.shape[:2] == gray.shape
        luma = color @ [0.299, 0.587, 0.114]
        np.testing.assert_allclose(luma, gray, atol=0.6)


@pytest.mark.parametrize("keeps_color", [False, True])
def test_indexed_colours_without_a_palette_are_refused(keeps_color: bool) -> None:
    opened = open_image(png(2, 1, b"\x00\x00\x01", colour=3), max_pixels=MAX_PIXELS)
    with pytest.raises(InvalidImageError, match="The PNG image has no palette"):
        decode_image(opened, backdrop=WHITE, keeps_color=keeps_color)
