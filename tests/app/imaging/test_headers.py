import random
from io import BytesIO

import pytest
from PIL import Image

from app.imaging.headers import announced_canvas
from tests.app.pictures import encode, gif, gradient, palette_picture, sample_files, webp_announcing

SAMPLES = sample_files()
HEADER, CONTROL, FRAME, END = (
    b"GIF89a\x05\0\x04\0\0\0\0",
    b"!\xf9\x04\0\0\0\0\0",
    b",\0\0\0\0\x1e\0\x14\0\0",
    b"\x02\x01\x44\0;",
)


@pytest.mark.parametrize("name", [name for name in SAMPLES if name.startswith(("gif", "webp"))])
def test_the_size_is_the_one_that_pillow_reports(name: str) -> None:
    assert announced_canvas(SAMPLES[name]) == Image.open(BytesIO(SAMPLES[name])).size


@pytest.mark.parametrize("name", ["png-gray", "jpeg-gray", "bmp-gray", "tiff-gray", "pnm-gray"])
def test_other_formats_are_left_to_pillow(name: str) -> None:
    assert announced_canvas(SAMPLES[name]) is None


def test_a_webp_canvas_may_be_larger_than_its_frame() -> None:
    assert announced_canvas(webp_announcing(16383, 9000)) == (16383, 9000)


def test_a_webp_of_an_unknown_kind_announces_no_size() -> None:
    assert announced_canvas(SAMPLES["webp-lossy"].replace(b"VP8", b"VP9")) is None


@pytest.mark.parametrize(
    ("screen", "frame", "expected"),
    [((9, 8), (3, 4), (9, 8)), ((3, 4), (9, 8), (9, 8)), ((9, 4), (3, 8), (9, 8))],
    ids=["screen", "frame", "both"],
)
def test_a_gif_is_as_large_as_its_screen_and_its_first_frame(
    screen: tuple[int, int], frame: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert announced_canvas(gif(screen, frame)) == expected


@pytest.mark.parametrize(
    "between",
    [
        b"",
        CONTROL,
        b"!\xfe\x03abc\0" + CONTROL,
        b"!\xfe\x03abc\x02de\0",
        b"!\xfe\0",
        b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0",
        b"!\xff\x0bNETSCAPE2.0\0\x03,,,\0",
        b"!\xff\x0bXMP DataXMP\x05,,,,,\x03!!!\0",
        b"!\xff\0\x02,,\0",
        b"!\xf9\0\x02,,\0",
        b"!\x01\x0c" + b"," * 12 + b"\x05hello\0",
        b"\0\0?",
    ],
    ids=[
        "nothing",
        "control",
        "comment-and-control",
        "long-comment",
        "empty-comment",
        "loop",
        "empty-loop",
        "xmp",
        "empty-application",
        "empty-control",
        "text",
        "stray-bytes",
    ],
)
def test_blocks_before_the_first_frame_are_skipped_as_in_pillow(between: bytes) -> None:
    data = HEADER + between + FRAME + END
    assert announced_canvas(data) == Image.open(BytesIO(data)).size == (30, 20)


def test_a_global_palette_is_skipped() -> None:
    data = encode(palette_picture()[0], "GIF")
    assert data[10] & 0x80
    assert announced_canvas(data) == (17, 23)


@pytest.mark.parametrize("tail", [b"", b";", b"!", b"!\xfe", b"!\xfe\x05ab", b",", b",\0\0"])
def test_a_gif_without_a_frame_has_the_size_of_its_screen(tail: bytes) -> None:
    assert announced_canvas(HEADER + tail) == (5, 4)


@pytest.mark.parametrize("data", [b"", b"GIF89a\x05\0", b"RIFF\0\0\0\0WEBPVP8X"])
def test_a_truncated_header_announces_no_size(data: bytes) -> None:
    assert announced_canvas(data) is None


@pytest.mark.filterwarnings("ignore")
def test_no_damaged_file_makes_pillow_allocate_more_than_it_announces() -> None:
    chance = random.Random(7)  # noqa: S311  # not for secrets
    prefix = HEADER + b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0" + b"!\xfe\x03abc\0" + CONTROL
    opened = 0
    for original in (prefix + FRAME + END, encode(gradient(), "WEBP"), SAMPLES["webp-animated"]):
        for _ in range(1500):
            data = bytearray(original)
            for _ in range(chance.choice([1, 2, 3])):
                data[chance.randrange(13, min(len(data), 70))] = chance.choice([0, 1, 2, 0x21, 0x2C, 0xF9, 0xFE, 0xFF])
            announced = announced_canvas(bytes(data))
            if announced is not None and announced[0] * announced[1] > 1_000_000:
                continue
            try:
                image = Image.open(BytesIO(data))
            except Exception:  # noqa: S112  # it stays closed, so nothing is allocated
                continue
            assert announced == image.size
            opened += 1
    assert opened > 500
