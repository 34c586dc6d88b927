import struct

import numpy as np
import pytest
from PIL import Image

from app.imaging.headers import MAX_PARTS, count_plain_pixels
from tests.app.pictures import encode, gradient, palette_picture, png, png_chunk, sample_files

SAMPLES = sample_files()
ROWS = bytes(18) * 23
PLAIN = {"png-gray", "png-gray-16", "png-1-bit", "png-palette", "png-palette-transparent", "jpeg-gray", "jpeg-cmyk"}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_png_or_baseline_jpeg_without_extras_is_plain(name: str) -> None:
    assert count_plain_pixels(SAMPLES[name]) == (17 * 23 if name in PLAIN else None)


def test_a_colour_jpeg_is_plain() -> None:
    assert count_plain_pixels(encode(Image.fromarray(gradient()).convert("RGB"), "JPEG")) == 17 * 23


def test_a_note_is_plain() -> None:
    assert count_plain_pixels(png(17, 23, ROWS, extra=png_chunk(b"tEXt", b"Title\0a note"))) == 17 * 23


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP", b"eXIf", b"acTL", b"fdAT", b"none"])
def test_a_png_with_something_to_unpack_or_parse_is_not_plain(kind: bytes) -> None:
    assert count_plain_pixels(png(17, 23, ROWS, extra=png_chunk(kind, b"a\0\0"))) is None


def test_a_png_of_many_chunks_is_not_plain() -> None:
    assert count_plain_pixels(png(17, 23, ROWS, extra=png_chunk(b"tEXt", b"a\0b") * MAX_PARTS)) is None


def test_a_jpeg_with_segments_to_parse_is_not_plain() -> None:
    data = encode(gradient(), "JPEG")
    assert count_plain_pixels(data[:2] + b"\xff\xe1\0\x08Exif\0\0" + data[2:]) is None


def test_a_jpeg_of_many_segments_is_not_plain() -> None:
    data = encode(gradient(), "JPEG")
    assert count_plain_pixels(data[:2] + b"\xff\xfe\0\x02" * MAX_PARTS + data[2:]) is None


def test_a_jpeg_of_many_scans_is_not_plain() -> None:
    data = encode(gradient(), "JPEG")
    scan = data[data.index(b"\xff\xda") : -2]
    assert count_plain_pixels(data[:-2] + scan * 4 + data[-2:]) is None


def test_a_jpeg_of_two_frames_is_not_plain() -> None:
    data = encode(gradient(), "JPEG")
    at = data.index(b"\xff\xc0")
    length = struct.unpack_from(">H", data, at + 2)[0]
    assert count_plain_pixels(data[:at] + data[at : at + 2 + length] * 2 + data[at + 2 + length :]) is None


def test_padding_is_not_plain() -> None:
    data = encode(gradient(), "JPEG")
    assert count_plain_pixels(data[:2] + b"\xff" + data[2:]) is None


@pytest.mark.parametrize("data", [encode(palette_picture()[0]), encode(gradient(), "JPEG"), encode(np.eye(3) > 0)])
def test_a_file_cut_before_its_pixels_is_not_plain(data: bytes) -> None:
    end = data.find(b"\xff\xda") if data.startswith(b"\xff") else len(data) - 12
    for length in range(end):
        assert count_plain_pixels(data[:length]) is None
