"""Tell from its structure alone which file is so plain that decoding it cannot take long."""

import re
import struct

# PNG chunks of a few bytes, or as long as they look: no text or profile to inflate, no EXIF data to parse (PNG 3rd
# edition, section 11), and what else may come before the scan of a baseline JPEG without them (ITU-T T.81, B.2).
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PLAIN_CHUNKS = frozenset(
    (b"PLTE", b"tRNS", b"IDAT", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD", b"pHYs", b"tIME", b"tEXt")
)
JPEG_START = b"\xff\xd8"
BASELINE_FRAME, START_OF_SCAN, SCAN_MARKER = 0xC0, 0xDA, b"\xff\xda"
PLAIN_SEGMENTS = frozenset((0xDB, 0xC4, 0xDD, 0xE0, 0xEE, 0xFE))  # tables, JFIF, Adobe's colours, a comment
MAX_PARTS = 64  # chunks or segments; Pillow parses each in Python
MAX_PLAIN_SCANS = 4  # one for each component

PNG_HEADER = struct.Struct(">8sI4sII")  # signature, length and name of IHDR, width, height
CHUNK = struct.Struct(">I4s")
SEGMENT = struct.Struct(">BBH")
FRAME = re.compile(rb"\x08(..)(..)", re.DOTALL)  # bits of a sample, height, width


def count_plain_pixels(data: bytes) -> int | None:
    """Return the pixels that a plain PNG or JPEG announces, or None for any other file.

    Plain is a file that has nothing but pixels, palette and short notes, and ends where it says: decoding it takes
    time and memory in proportion to its pixels and bytes.
    """
    if data.startswith(PNG_SIGNATURE):
        return _count_png_pixels(data)
    return _count_jpeg_pixels(data) if data.startswith(JPEG_START) else None


def _count_png_pixels(data: bytes) -> int | None:
    if len(data) < PNG_HEADER.size:
        return None
    _, length, name, width, height = PNG_HEADER.unpack_from(data)
    if name != b"IHDR" or length != 13:
        return None
    at = 33
    for _ in range(MAX_PARTS):
        if at + 12 > len(data):
            return None
        length, name = CHUNK.unpack_from(data, at)
        if name == b"IEND":
            return int(width * height)
        if name not in PLAIN_CHUNKS:
            return None
        at += 12 + length
    return None


def _count_jpeg_pixels(data: bytes) -> int | None:
    pixels, at = None, 2
    for _ in range(MAX_PARTS):
        if at + SEGMENT.size > len(data):
            return None
        fill, marker, length = SEGMENT.unpack_from(data, at)
        if fill != 0xFF:
            return None
        if marker == START_OF_SCAN:
            return pixels if data.count(SCAN_MARKER) <= MAX_PLAIN_SCANS else None
        if marker == BASELINE_FRAME and pixels is None and (frame := FRAME.match(data, at + SEGMENT.size)):
            pixels = int.from_bytes(frame[1]) * int.from_bytes(frame[2])
        elif marker not in PLAIN_SEGMENTS:
            return None
        at += 2 + length
    return None
