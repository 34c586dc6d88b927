"""Files that ask for far more memory or time than their size suggests, made in code."""

import struct
import zlib
from collections.abc import Callable, Mapping

from tests.app.pictures import bmp_announcing, encode, gradient, huge_png

BYTE, SHORT, LONG = 1, 3, 4
DEFLATE, ZSTD = 8, 50000
MIB = 2**20


def progressive_jpeg(scans: int) -> bytes:
    """Repeat the last scan of a progressive JPEG."""
    data = encode(gradient(600, 800), "JPEG", progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + scan * scans + data[-2:]


def deflated_zeros(mebibytes: int) -> bytes:
    """Compress zeros in no time: the same block again and again; the checksum at the end is missing."""
    compressor = zlib.compressobj(9)
    start = compressor.compress(b"") + compressor.flush(zlib.Z_FULL_FLUSH)
    block = compressor.compress(bytes(MIB)) + compressor.flush(zlib.Z_FULL_FLUSH)
    return start + block * mebibytes


def zstd_zeros(blocks: int) -> bytes:
    """Build a Zstandard frame (RFC 8878) of run-length blocks: 128 KiB in four bytes each."""
    block = struct.pack("<I", 2**17 << 3 | 1 << 1)[:3] + b"\0"
    return b"\x28\xb5\x2f\xfd\0\x38" + block * blocks


def tiled_tiff(content: bytes, *, side: int, tile: int, compression: int) -> bytes:
    """Build a gray TIFF of ``side`` squared pixels with a tile of ``tile`` squared (TIFF 6.0, section 15)."""
    tags = [
        (256, LONG, side),
        (257, LONG, side),
        (258, SHORT, 8),
        (259, SHORT, compression),
        (262, SHORT, 1),
        (277, SHORT, 1),
        (322, LONG, tile),
        (323, LONG, tile),
        (324, LONG, 8),
        (325, LONG, len(content)),
    ]
    return _tiff(content, [(tag, kind, 1, value) for tag, kind, value in tags])


def tiff_of_tiny_tiles(tiles: int) -> bytes:
    """Build a TIFF whose tiles are single pixels; all offsets are bytes of one array."""
    tags = [
        (256, LONG, 1, 4000),
        (257, LONG, 1, tiles // 4000),
        (258, SHORT, 1, 8),
        (259, SHORT, 1, 1),
        (262, SHORT, 1, 1),
        (277, SHORT, 1, 1),
        (322, LONG, 1, 1),
        (323, LONG, 1, 1),
        (324, BYTE, tiles, 8),
        (325, BYTE, tiles, 8),
    ]
    return _tiff(bytes([1]) * tiles, tags)


def _tiff(content: bytes, tags: list[tuple[int, int, int, int]]) -> bytes:
    """Put ``content`` at offset 8 and the directory behind it."""
    content += b"\0" * (len(content) % 2)
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    return struct.pack("<2sHI", b"II", 42, 8 + len(content)) + content + directory


BOMBS: Mapping[str, Callable[[], bytes]] = {
    "tiff-deflate-tile": lambda: tiled_tiff(deflated_zeros(2044), side=1, tile=46_300 // 16 * 16, compression=DEFLATE),
    "tiff-zstd-tile": lambda: tiled_tiff(zstd_zeros(16_394), side=64, tile=46_300 // 16 * 16, compression=ZSTD),
    "tiff-zstd-small": lambda: tiled_tiff(zstd_zeros(2_000), side=1, tile=16_000, compression=ZSTD),
    "tiff-many-tiles": lambda: tiff_of_tiny_tiles(12_000_000),
    "bmp-one-row": lambda: bmp_announcing(40_000_000, 1),
    "png-one-row": lambda: huge_png(40_000_000, 1),
    "jpeg-scans": lambda: progressive_jpeg(6000),
    "jpeg-padding": lambda: b"\xff\xd8" + b"\xff" * 60 * MIB,
    "gif-comments": lambda: b"GIF89a\x05\0\x04\0\0\0\0!\xfe" + b"\x01a" * 15 * MIB,
    "pnm-comment": lambda: b"P5 #" + b"a" * 60 * MIB,
    "pnm-maxval": lambda: b"P5 4000 4000 254 " + bytes(16_000_000),
    "pnm-ascii": lambda: b"P2 4000 4000 255 " + b"1 " * 16_000_000,
}
