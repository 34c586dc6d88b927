"""Read the size that a GIF or WebP announces, because Pillow allocates so much as soon as it opens the file."""

from io import BytesIO
from typing import NamedTuple


class Canvas(NamedTuple):
    """The size that Pillow allocates for a picture."""

    width: int
    height: int


def announced_canvas(data: bytes) -> Canvas | None:
    """Return what opening the file would allocate; None if the header does not say, or for other formats."""
    if data.startswith((b"GIF87a", b"GIF89a")) and len(data) >= 13:
        return _gif_canvas(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP" and len(data) >= 30:
        return _webp_canvas(data)
    return None


def _gif_canvas(data: bytes) -> Canvas:
    """Return the screen, enlarged to hold the first frame; walk the blocks as Pillow does (GIF89a, sections 18-26)."""
    file = BytesIO(data)
    screen = file.read(13)
    if screen[10] & 0x80:
        file.seek(3 << (screen[10] & 7) + 1, 1)
    width, height = _number(screen[6:8]), _number(screen[8:10])
    while (introducer := file.read(1)) not in (b"", b";"):
        if introducer == b"!":
            _skip_extension(file)
        elif introducer == b",":
            frame = file.read(8)
            left, top, frame_width, frame_height = (_number(frame[at : at + 2]) for at in (0, 2, 4, 6))
            return Canvas(max(width, left + frame_width), max(height, top + frame_height))
    return Canvas(width, height)


def _skip_extension(file: BytesIO) -> None:
    label = file.read(1)
    block = _read_block(file)
    if label == b"\xfe":  # Pillow ends an empty comment at its first empty block, but other extensions at the next
        while block:
            block = _read_block(file)
        return
    if label == b"\xff" and block.startswith(b"NETSCAPE2.0"):
        _read_block(file)
    while _read_block(file):
        pass


def _read_block(file: BytesIO) -> bytes:
    length = file.read(1)
    return file.read(length[0]) if length else b""


def _webp_canvas(data: bytes) -> Canvas | None:
    """Return the canvas, or the size of the only frame (RFC 9649, sections 2.5-2.7)."""
    match data[12:16]:
        case b"VP8X":
            return Canvas(_number(data[24:27]) + 1, _number(data[27:30]) + 1)
        case b"VP8L":
            bits = _number(data[21:25])
            return Canvas((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        case b"VP8 ":
            return Canvas(_number(data[26:28]) & 0x3FFF, _number(data[28:30]) & 0x3FFF)
        case _:
            return None


def _number(little_endian: bytes) -> int:
    return int.from_bytes(little_endian, "little")
