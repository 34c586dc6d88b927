"""The ZIP that is written piece by piece, and the names in it."""

import zipfile
from io import BytesIO

import pytest

from app.web.responses.archive import MAX_COMPONENT, OutputNames, ZipStream


def test_the_pieces_together_are_a_valid_zip() -> None:
    archive = ZipStream()
    pieces = [archive.add("a.png", b"one"), archive.add("ä/b.png", b"two" * 1000), archive.close()]
    with zipfile.ZipFile(BytesIO(b"".join(pieces))) as read:
        assert read.testzip() is None
        assert {name: read.read(name) for name in read.namelist()} == {"a.png": b"one", "ä/b.png": b"two" * 1000}


def test_each_content_is_in_its_piece() -> None:
    archive = ZipStream()
    for name in "abc":
        assert 1000 < len(archive.add(name, bytes(1000))) < 1100


def test_sizes_precede_the_contents_for_streaming_readers() -> None:
    piece = ZipStream().add("a.png", b"content")
    flags, size = int.from_bytes(piece[6:8], "little"), int.from_bytes(piece[18:22], "little")
    assert flags & 0x08 == 0  # no data descriptor (APPNOTE.TXT 4.4.4)
    assert size == len(b"content")


@pytest.mark.parametrize(
    ("filename", "output"),
    [
        ("seven.jpeg", "seven.png"),
        ("a/b.c/seven", "a/b.c/seven.png"),
        ("/etc/passwd", "etc/passwd.png"),
        ("../../up.png", "up.png"),
        ("e\u0301.png", "\u00e9.png"),
        ("\u202egnp.jpg", "_gnp.png"),
        ("a/./../b/x.png", "a/b/x.png"),
        ("C:\\pictures\\x.bmp", "C_/pictures/x.png"),
        ("", "image.png"),
        ("..", "image.png"),
        (".png", ".png.png"),
        ("x\0\x1b[31m?.png", "x__[31m_.png"),
        ("nul.png", "_nul.png"),
        ("aux/x.png", "_aux/x.png"),
        ("x.png/y.png", "x.png_/y.png"),
        ("manifest.json/y.png", "manifest.json_/y.png"),
        ("folder. /x .png", "folder/x.png"),
        ("ä" * 300 + ".png", "ä" * MAX_COMPONENT + ".png"),
        ("/".join("abcdefghijkl") + "/x.png", "e/f/g/h/i/j/k/l/x.png"),
    ],
)
def test_a_name_is_safe_to_unpack_anywhere(filename: str, output: str) -> None:
    assert OutputNames().add(filename) == output


def test_names_end_as_the_format_of_the_results_does() -> None:
    names = OutputNames()
    given = [names.add(name, ".jpg") for name in ("a.png", "a.jpg", "b.jpg/a.png", "b.png/a.png")]
    assert given == ["a.jpg", "a-2.jpg", "b.jpg_/a.jpg", "b.png/a.jpg"]


def test_equal_names_are_numbered_in_their_order_whatever_their_case() -> None:
    names = OutputNames()
    given = [names.add(name) for name in ("a.png", "a.jpg", "A.PNG", "b/a.png", "a-2.png", "a.png")]
    assert given == ["a.png", "a-2.png", "A-3.png", "b/a.png", "a-2-2.png", "a-4.png"]
