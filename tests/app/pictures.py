"""Pictures made in code, and the encoded files that hold them."""

import struct
import zlib
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from app.imaging.samples import FloatImage
from tests.app.profiles import cmyk_profile, gamma, gray_profile, rgb_profile

EXIF_ORIENTATION = 0x0112

# Which stored position each pixel of the upright picture comes from, by EXIF orientation (Exif 2.32, 0x0112).
ROTATIONS: Mapping[int, Image.Transpose | None] = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def gradient(height: int = 23, width: int = 17) -> NDArray[np.uint8]:
    """Make a smooth picture, shape (H, W), whose four corners differ."""
    y, x = np.mgrid[0:height, 0:width]
    levels: NDArray[np.uint8] = np.rint(20 + 150 * x / max(1, width - 1) + 80 * y / max(1, height - 1)).astype(np.uint8)
    return levels


def ring(size: int = 28) -> NDArray[np.uint8]:
    """Make a light ring on black, about as large as a digit of MNIST."""
    y, x = np.mgrid[0:size, 0:size] / size - 0.5
    return np.where(np.abs(np.hypot(x, y) - 0.25) < 0.06, np.uint8(255), np.uint8(0))


def unit(levels: Image.Image | NDArray[np.uint8]) -> FloatImage:
    """Scale 8-bit levels to [0, 1]."""
    return np.asarray(np.asarray(levels) / 255, np.float32)


def encode(image: Image.Image | NDArray[Any], image_format: str = "PNG", **options: Any) -> bytes:  # noqa: ANN401  # Pillow's
    """Encode a picture with Pillow."""
    if not isinstance(image, Image.Image):
        image = Image.fromarray(image)
    buffer = BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def decode(content: bytes) -> NDArray[np.uint8]:
    """Decode a picture with Pillow."""
    with Image.open(BytesIO(content)) as image:
        return np.asarray(image)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """Return one chunk of a PNG (PNG 3rd edition, 5.3)."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, rows: bytes, *, bits: int = 8, colour: int = 0, extra: bytes = b"") -> bytes:
    """Build a PNG from raw filtered rows; ``extra`` chunks go before the pixels."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    pixels = png_chunk(b"IDAT", zlib.compress(rows, 9))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + extra + pixels + png_chunk(b"IEND", b"")


def huge_png(width: int, height: int) -> bytes:
    """Build a valid black 1-bit PNG, compressed in pieces to save time and memory."""
    compressor = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    body = b"".join(compressor.compress(row) for _ in range(height)) + compressor.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", body) + png_chunk(b"IEND", b"")


def tiff(  # every argument is a tag
    samples: bytes,
    *,
    width: int,
    height: int,
    bits: int,
    photometric: int = 1,
    sample_format: int = 1,
    byte_order: str = "<",
    orientation: int = 1,
) -> bytes:
    """Build an uncompressed TIFF of one strip and one sample per pixel (TIFF 6.0)."""
    short, long = 3, 4
    tags = [
        (256, long, width),
        (257, long, height),
        (258, short, bits),
        (259, short, 1),
        (262, short, photometric),
        (273, long, 0),
        (274, short, orientation),
        (277, short, 1),
        (278, long, height),
        (279, long, len(samples)),
        (339, short, sample_format),
    ]
    start = 8 + 2 + 12 * len(tags) + 4
    file = (b"II" if byte_order == "<" else b"MM") + struct.pack(byte_order + "HI", 42, 8)
    file += struct.pack(byte_order + "H", len(tags))
    for tag, kind, value in tags:
        content = start if tag == 273 else value
        packed = struct.pack(
            byte_order + ("HH" if kind == short else "I"), *((content, 0) if kind == short else (content,))
        )
        file += struct.pack(byte_order + "HHI", tag, kind, 1) + packed
    return file + struct.pack(byte_order + "I", 0) + samples


def pack_12_bit(samples: NDArray[np.uint16]) -> bytes:
    """Pack an even number of 12-bit samples per row, most significant bit first (TIFF 6.0)."""
    first, second = samples[:, ::2].astype(int), samples[:, 1::2].astype(int)
    triple = np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], axis=-1)
    return triple.astype(np.uint8).tobytes()


def gif(screen: tuple[int, int], frame: tuple[int, int], *, disposal: int = 0) -> bytes:
    """Build a gray GIF whose screen and frame, each (width, height), announce any size; it has no pixels."""
    control = b"!\xf9\x04" + bytes([disposal << 2, 0, 0, 0]) + b"\0"
    descriptor = b"," + struct.pack("<HHHHB", 0, 0, *frame, 0)
    return b"GIF89a" + struct.pack("<HHBBB", *screen, 0, 0, 0) + control + descriptor + b"\x02\x01\x44\x00;"


def webp_announcing(width: int, height: int) -> bytes:
    """Build an animated WebP with an alpha channel whose canvas announces a size, around one small frame."""
    small = encode(np.zeros((1, 1), np.uint8), "WEBP", lossless=True)[12:]

    def chunk(kind: bytes, content: bytes) -> bytes:
        return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)

    def number(value: int) -> bytes:
        return struct.pack("<I", value)[:3]

    frame = number(0) * 2 + number(0) * 2 + number(100) + b"\0" + small
    body = chunk(b"VP8X", b"\x12\0\0\0" + number(width - 1) + number(height - 1))
    body += chunk(b"ANIM", bytes(6)) + chunk(b"ANMF", frame)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def jpeg_announcing(width: int, height: int) -> bytes:
    """Rewrite the size in a small JPEG's frame header."""
    data = bytearray(encode(gradient(), "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def bmp_announcing(width: int, height: int) -> bytes:
    """Rewrite the size in a small BMP's header."""
    data = bytearray(encode(gradient(), "BMP"))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


def palette_picture(*, transparent: int | None = None) -> tuple[Image.Image, NDArray[np.uint8]]:
    """Make a picture with a palette, and return it with the RGB that it shows; ``transparent`` is a palette index."""
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [10, 200, 90]], np.uint8)
    indices = np.arange(23 * 17, dtype=np.uint8).reshape(23, 17) % 4
    image = Image.fromarray(indices).convert("P")
    image.putdata(indices.ravel().tolist())
    image.putpalette(colours.ravel().tolist())
    if transparent is not None:
        image.info["transparency"] = transparent
    return image, colours[indices]


def sample_files() -> dict[str, bytes]:
    """Encode small pictures in every accepted format, and in the forms that are decoded in a special way."""
    gray = gradient()
    deep = np.linspace(0, 65535, gray.size).astype(np.uint16).reshape(gray.shape)
    colour = np.stack([gray, gray[::-1], gray[:, ::-1]], axis=-1)
    alpha = np.dstack([colour, gray])
    palette, _ = palette_picture()
    see_through, _ = palette_picture(transparent=2)
    pages = [Image.fromarray(gray), Image.fromarray(255 - gray)]
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 6
    colour_image = Image.fromarray(colour)
    return {
        "png-gray": encode(gray),
        "png-gray-16": encode(deep),
        "png-1-bit": encode(Image.fromarray(gray).convert("1")),
        "png-palette": encode(palette),
        "png-palette-transparent": encode(see_through, transparency=2),
        "png-rgba-exif": encode(alpha, exif=exif),
        "png-profile": encode(colour, icc_profile=rgb_profile()),
        "png-animated": encode(pages[0], save_all=True, append_images=pages[1:]),
        "jpeg-gray": encode(gray, "JPEG"),
        "jpeg-rgb-exif": encode(colour, "JPEG", exif=exif),
        "jpeg-progressive": encode(colour, "JPEG", progressive=True),
        "jpeg-cmyk": encode(colour_image.convert("CMYK"), "JPEG"),
        "jpeg-cmyk-profile": encode(colour_image.convert("CMYK"), "JPEG", icc_profile=cmyk_profile()),
        "mpo": encode(colour_image, "MPO", save_all=True, append_images=[colour_image]),
        "webp-lossy": encode(colour, "WEBP", exif=exif),
        "webp-lossless-alpha": encode(alpha, "WEBP", lossless=True),
        "webp-animated": encode(pages[0], "WEBP", save_all=True, append_images=pages[1:]),
        "avif": encode(colour, "AVIF", exif=exif),
        "avif-gray": encode(gray, "AVIF"),
        "avif-alpha-profile": encode(alpha, "AVIF", icc_profile=rgb_profile()),
        "heic": encode(colour, "HEIF", exif=exif),
        "heic-gray-16": encode(deep, "HEIF"),
        "heic-alpha-profile": encode(alpha, "HEIF", icc_profile=rgb_profile()),
        "bmp-gray": encode(gray, "BMP"),
        "bmp-rgb": encode(colour, "BMP"),
        "tiff-gray": encode(gray, "TIFF"),
        "tiff-gray-16": encode(deep, "TIFF"),
        "tiff-gray-16-profile": encode(deep, "TIFF", icc_profile=gray_profile(gamma(1.8))),
        "tiff-float": encode(gray.astype(np.float32) / 255, "TIFF"),
        "tiff-lzw": encode(colour, "TIFF", compression="tiff_lzw"),
        "tiff-jpeg": encode(colour, "TIFF", compression="jpeg"),
        "tiff-deflate": encode(deep, "TIFF", compression="tiff_adobe_deflate"),
        "tiff-g4": encode(Image.fromarray(gray).convert("1"), "TIFF", compression="group4"),
        "tiff-lab": encode(colour_image.convert("YCbCr"), "TIFF"),
        "tiff-two-pages": encode(pages[0], "TIFF", save_all=True, append_images=pages[1:]),
        "gif": encode(gray, "GIF"),
        "gif-animated": encode(palette, "GIF", save_all=True, append_images=[see_through], transparency=2, disposal=2),
        "pnm-gray": encode(gray, "PPM"),
        "pnm-gray-16": encode(deep, "PPM"),
        "pnm-rgb": encode(colour, "PPM"),
        "pnm-bitmap": encode(Image.fromarray(gray).convert("1"), "PPM"),
        "pnm-plain": b"P2\n# a comment\n3 2\n200\n0 100 200\n50 150 199\n",
        "pnm-float": encode(gray.astype(np.float32) / 255, "PPM"),
    }


def digit(
    text: str = "4", *, height: int = 300, width: int = 300, size: int = 160, at: tuple[float, float] | None = None
) -> FloatImage:
    """Draw a character, white on black, with its middle ``at`` (x, y)."""
    image = Image.new("L", (width, height))
    middle = at or (width / 2, height / 2)
    ImageDraw.Draw(image).text(middle, text, fill=255, font=ImageFont.load_default(size=size), anchor="mm")
    return np.asarray(image, np.float32) / np.float32(255)


def centre_of_mass(light: FloatImage) -> tuple[float, float]:
    """Return the centre of what is light, as x and y in pixels."""
    y, x = np.mgrid[0 : light.shape[0], 0 : light.shape[1]] + 0.5
    return float((x * light).sum() / light.sum()), float((y * light).sum() / light.sum())


def psnr_db(one: FloatImage, other: FloatImage) -> float:
    """Return the peak signal-to-noise ratio of two images in [0, 1]; infinite if they are equal."""
    error = float(np.mean((one.astype(np.float64) - other) ** 2))
    return float("inf") if error == 0 else float(-10 * np.log10(error))
