"""Colour profiles made in code (ICC.1:2022), since none may be copied."""

import struct
from collections.abc import Mapping

Curve = bytes

# The primaries of Display P3 (SMPTE EG 432-1), adapted to D50: the columns of the matrix to XYZ.
DISPLAY_P3 = ((0.515102, 0.241182, -0.00105), (0.291965, 0.692236, 0.041885), (0.157153, 0.066582, 0.784073))
SRGB = ((0.436065, 0.222488, 0.013916), (0.385147, 0.716873, 0.097076), (0.143066, 0.060608, 0.714096))
D50 = (0.9642, 1.0, 0.8249)
SRGB_PARAMETERS = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def rgb_profile(primaries: tuple[tuple[float, ...], ...] = DISPLAY_P3, **changes: bytes) -> bytes:
    """Build a profile for RGB with the tone curve of sRGB."""
    curve = parametric(3, *SRGB_PARAMETERS)
    columns = {name: _xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)}
    return profile(columns | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve), **changes)


def gray_profile(curve: Curve, **changes: bytes) -> bytes:
    """Build a profile for gray."""
    return profile({b"kTRC": curve}, **{"color_space": b"GRAY"} | changes)


def cmyk_profile(paper: int = 255) -> bytes:
    """Build a profile for CMYK in which ink removes light evenly, and paper has a lightness of 0 to 255."""
    grid = 2
    corners = []
    for corner in range(grid**4):
        cyan, magenta, yellow, black = (corner >> shift & 1 for shift in (3, 2, 1, 0))
        light = 0 if black else paper * (3 - cyan - magenta - yellow) // 3
        a, b = (128 + 40 * (magenta - cyan), 128 + 40 * (yellow - (cyan + magenta) // 2)) if not black else (128, 128)
        corners.append(bytes((light, a, b)))
    ramp = bytes(range(256))
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = b"mft1" + struct.pack(">4x4B", 4, 3, grid, 0) + identity + ramp * 4 + b"".join(corners) + ramp * 3
    return profile({b"A2B0": table}, color_space=b"CMYK", device_class=b"prtr", connection_space=b"Lab ")


def profile(
    tags: Mapping[bytes, bytes],
    *,
    device_class: bytes = b"mntr",
    color_space: bytes = b"RGB ",
    connection_space: bytes = b"XYZ ",
    signature: bytes = b"acsp",
) -> bytes:
    """Build a profile of version 2.4 from its tags."""
    tags = {b"desc": _description("test"), b"cprt": b"text\0\0\0\0none\0", b"wtpt": _xyz(D50)} | dict(tags)
    table, content = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, tag in tags.items():
        table += struct.pack(">4sII", name, start + len(content), len(tag))
        content += tag + bytes(-len(tag) % 4)
    header = struct.pack(">I4xI4s4s4s", start + len(content), 0x02400000, device_class, color_space, connection_space)
    header += struct.pack(">6H4s28x3i", 2026, 1, 1, 0, 0, 0, signature, *_fixed(D50))
    return header.ljust(128, b"\0") + table + content


def gamma(exponent: float) -> Curve:
    """Build a curve that is a power."""
    return b"curv" + struct.pack(">4xIH", 1, round(exponent * 256))


def sampled(*levels: int) -> Curve:
    """Build a curve of 16-bit samples."""
    return b"curv" + struct.pack(f">4xI{len(levels)}H", len(levels), *levels)


def parametric(kind: int, *parameters: float) -> Curve:
    """Build a parametric curve (10.18)."""
    return b"para" + struct.pack(f">4xHxx{len(parameters)}i", kind, *_fixed(parameters))


def _xyz(color: tuple[float, ...]) -> bytes:
    return b"XYZ " + struct.pack(">4x3i", *_fixed(color))


def _description(text: str) -> bytes:
    return b"desc" + struct.pack(">4xI", len(text) + 1) + text.encode() + b"\0" + bytes(78)


def _fixed(numbers: tuple[float, ...]) -> list[int]:
    return [round(number * 65536) for number in numbers]
