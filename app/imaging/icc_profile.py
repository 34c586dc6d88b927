"""Use the colour profile (ICC) that came with a picture, and ignore one that is of no use.

It is as much a stranger's as the picture: only decoders parse profiles, since no picture that has one is plain.
"""

import struct
import zlib
from functools import lru_cache
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from app.imaging.headers import CHUNK, PNG_SIGNATURE
from app.imaging.samples import WHITE_8, WHITE_16, Samples, to_levels

MAX_PROFILE_BYTES = 4 * 2**20  # larger ones are ignored; those of printers have up to 3 MiB

# ICC.1:2022, 7.2: class, colour space, connection space and signature. Of the classes, these describe samples.
HEADER = struct.Struct(">12x4s4s4s12x4s88x")
SIGNATURE = b"acsp"
CLASSES = (b"scnr", b"mntr", b"prtr", b"spac")
TAG = struct.Struct(">4sII")
MAX_TAGS = 100

RGB, GRAY, CMYK = b"RGB ", b"GRAY", b"CMYK"
COLOR_SPACES = {  # of the modes of images; palettes and YCbCr hold RGB
    "RGB": RGB, "RGBA": RGB, "RGBX": RGB, "P": RGB, "PA": RGB, "YCbCr": RGB,
    "L": GRAY, "LA": GRAY, "I": GRAY, "I;16": GRAY, "I;16B": GRAY, "I;16L": GRAY,
    "CMYK": CMYK,
}  # fmt: skip
MODES = {RGB: "RGB", CMYK: "CMYK"}

# Parametric curves (ICC.1:2022, 10.18): how many parameters each type has, and what the others are.
PARAMETER_COUNTS = (1, 3, 4, 5, 7)
DEFAULT_PARAMETERS = [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
FIXED_POINT_ONE = 2**16

CUBE_SIDE = 6  # colours along each side of the cube that tells whether a profile is that of sRGB
CLOSE = 1  # 8-bit level, by which two ways to round may differ


def drop_refused_profile(data: bytes) -> bytes:
    """Return a file without the profile of a PNG for which Pillow would refuse the whole: huge, or oddly compressed."""
    at = len(PNG_SIGNATURE)
    if not data.startswith(PNG_SIGNATURE) or b"iCCP" not in data:
        return data
    while at + CHUNK.size <= len(data):
        length, name = CHUNK.unpack_from(data, at)
        end = at + CHUNK.size + length + 4
        if name == b"iCCP" and not _can_inflate(data[at + CHUNK.size : end - 4]):
            return data[:at] + data[end:]
        if name in (b"iCCP", b"IDAT"):
            break
        at = end
    return data


def embedded_profile(image: Image.Image) -> bytes:
    """Return the profile of an image, whatever it may be, or nothing if there is none or it is huge."""
    profile = image.info.get("icc_profile")  # of a corrupt TIFF, a number
    return profile if isinstance(profile, bytes) and len(profile) <= MAX_PROFILE_BYTES else b""


def find_profile(image: Image.Image) -> bytes | None:
    """Return the profile of an image; None if it has none, or one that is huge, broken, or not for samples like its."""
    profile = embedded_profile(image)
    if len(profile) < HEADER.size:
        return None
    device_class, color_space, _, signature = HEADER.unpack_from(profile)
    if signature != SIGNATURE or device_class not in CLASSES or color_space != COLOR_SPACES.get(image.mode):
        return None
    try:
        _gray_table(profile) if color_space == GRAY else _transform(profile, color_space)
    except (ValueError, OSError, struct.error):
        return None
    return profile


def rgb_to_srgb(rgb: Image.Image, profile: bytes) -> Image.Image:
    """Convert RGB to sRGB, in place, perceptually; ``profile`` is what find_profile returned."""
    if not _is_srgb(profile):
        _transform(profile, RGB).apply_in_place(rgb)
    return rgb


def cmyk_to_srgb(cmyk: Image.Image, profile: bytes) -> Image.Image:
    """Convert CMYK to sRGB, perceptually; ``profile`` is what find_profile returned."""
    return _transform(profile, CMYK).apply(cmyk)


def gray_to_srgb(samples: Samples, profile: bytes) -> Samples:
    """Convert gray samples to the tone curve of sRGB; ``profile`` is what find_profile returned.

    Samples of 8 bits remain such, all others become uint16.
    """
    table = _gray_table(profile)
    if samples.dtype == np.uint8:
        return np.asarray(to_levels(table[:: WHITE_16 // WHITE_8])[samples])
    deep = to_levels(np.asarray(samples, np.float32), 16) if samples.dtype == np.float32 else samples
    return np.asarray(to_levels(table, 16)[deep])


def _can_inflate(chunk: bytes) -> bool:
    """Return whether a chunk iCCP (PNG 3rd edition, 11.3.2.3) has at most MAX_PROFILE_BYTES once inflated."""
    _, _, compressed = chunk.partition(b"\0")
    if not compressed.startswith(b"\0"):  # the only method
        return False
    inflate = zlib.decompressobj()
    try:
        inflate.decompress(compressed[1:], MAX_PROFILE_BYTES)
    except zlib.error:
        return False
    return not inflate.unconsumed_tail


@lru_cache(maxsize=1)  # find_profile has made it, to see whether that works
def _transform(profile: bytes, color_space: bytes) -> ImageCms.ImageCmsTransform:
    """Return the way to sRGB.

    Raises:
        ValueError, OSError: the profile is broken.
    """
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    opened = ImageCms.ImageCmsProfile(BytesIO(profile))
    return ImageCms.ImageCmsTransform(opened, srgb, MODES[color_space], "RGB")


def _is_srgb(profile: bytes) -> bool:
    """Return whether the colours of a cube stay where they are; a conversion takes longer than most decoding."""
    steps = np.linspace(0, 255, CUBE_SIDE).astype(np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(CUBE_SIDE, -1, 3)
    converted = np.asarray(_transform(profile, RGB).apply(Image.fromarray(cube)))
    return bool(np.abs(converted.astype(int) - cube).max() <= CLOSE)


@lru_cache(maxsize=1)
def _gray_table(profile: bytes) -> NDArray[np.float32]:
    """Return the gray of sRGB, in [0, 1], for each of 65,536 levels of gray.

    Raises:
        ValueError, struct.error: the profile has no curve, or it cannot be read.
    """
    levels = np.linspace(0, 1, WHITE_16 + 1)
    with np.errstate(all="ignore"):
        light = _read_curve(_find_tag(profile, b"kTRC"), levels)
    if not np.isfinite(light).all():
        raise ValueError("The curve is not finite.")
    light = light.clip(0, 1)
    if HEADER.unpack_from(profile)[2] == b"Lab ":  # the curve has lightness (ISO/CIE 11664-4)
        light = np.where(light > 0.08, ((100 * light + 16) / 116) ** 3, light * (100 / 903.3))
    srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)  # IEC 61966-2-1
    return srgb.astype(np.float32)


def _find_tag(profile: bytes, wanted: bytes) -> bytes:
    (count,) = struct.unpack_from(">I", profile, HEADER.size)
    for number in range(min(count, MAX_TAGS)):
        name, start, length = TAG.unpack_from(profile, HEADER.size + 4 + number * TAG.size)
        if name == wanted:
            return profile[start : start + length]
    raise ValueError("The profile lacks a tag.")


def _read_curve(tag: bytes, levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the light, in [0, 1], of levels of gray: a sampled or a parametric curve (ICC.1:2022, 10.6 and 10.18)."""
    if tag.startswith(b"curv"):
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            return levels
        samples = np.frombuffer(tag, ">u2", count, 12)
        if count == 1:
            return levels ** (float(samples[0]) / 256)
        return np.interp(levels, np.linspace(0, 1, count), samples / WHITE_16)
    kind, number = struct.unpack_from(">4s4xH", tag)
    if kind != b"para" or number >= len(PARAMETER_COUNTS):
        raise ValueError("The curve is of an unknown kind.")
    count = PARAMETER_COUNTS[number]
    given = [fixed / FIXED_POINT_ONE for fixed in struct.unpack_from(f">{count}i", tag, 12)]
    g, a, b, c, d, e, f = given + DEFAULT_PARAMETERS[count:]
    power = np.maximum(a * levels + b, 0) ** g
    return power + c if number == 2 else np.asarray(np.where(levels >= d, power + e, c * levels + f))
