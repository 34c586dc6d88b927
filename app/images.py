"""Image bytes to gray float32 arrays and back: every pixel rule and every limit of the input."""

import re
import struct
import warnings
import zlib
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.canvas import announced_size
from app.errors import ImageTooLargeError, InvalidImageError, UnsupportedFormatError

FloatImage = NDArray[np.float32]

ACCEPTED_FORMATS = ("PNG", "JPEG", "WebP", "BMP", "TIFF", "GIF", "PNM")
PILLOW_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM")  # "JPEG" opens MPO, too
FORMAT_NAMES = {"MPO": "JPEG", "WEBP": "WebP", "PPM": "PNM"}
SIGNATURES = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|RIFF.{4}WEBP|GIF8[79]a|II\*\0|MM\0\*|II\+\0|MM\0\+|P[1-6f][\s#]"
    rb"|BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0",
    re.DOTALL,
)

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_FILTER_UP = 2
PNG_COMPRESSION = 3  # of 0-9: more gains a tenth, and costs three times the time

ORIENTATION_TAG = 0x0112
TIFF_BITS_PER_SAMPLE, TIFF_PHOTOMETRIC, WHITE_IS_ZERO = 258, 262, 0

Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit is a warning; open_image checks ours from the header
warnings.filterwarnings("ignore", module=r"PIL\.")  # about a client's file, with its words; each new text is kept, too


@dataclass(frozen=True)
class OpenedImage:
    """An image whose header has been read, but none of its pixels.

    Attributes:
        format: one of ACCEPTED_FORMATS.
        pixels: how many pixels decoding will produce.
    """

    format: str
    pixels: int
    pillow: Image.Image


def open_image(data: bytes, *, max_pixels: int) -> OpenedImage:
    """Read the header of an encoded image; the content decides the format, whatever its name.

    Raises:
        UnsupportedFormatError: the bytes are not of an accepted format.
        InvalidImageError: the header is truncated or corrupt.
        ImageTooLargeError: the header announces more than ``max_pixels`` pixels.
    """
    _check_size(announced_size(data), max_pixels)
    try:
        pillow = Image.open(BytesIO(data), formats=PILLOW_FORMATS)
    except Exception as error:  # the parsers raise what they like for a corrupt header
        if SIGNATURES.match(data):
            msg = "The image's header is truncated or corrupt, or it has no pixels or samples of an unsupported kind."
            raise InvalidImageError(msg) from error
        msg = f"The bytes are not an image in one of the accepted formats: {', '.join(ACCEPTED_FORMATS)}."
        raise UnsupportedFormatError(msg, names=ACCEPTED_FORMATS) from error
    _check_size(pillow.size, max_pixels)
    name = str(pillow.format)
    return OpenedImage(format=FORMAT_NAMES.get(name, name), pixels=pillow.width * pillow.height, pillow=pillow)


def decode_gray(opened: OpenedImage, *, backdrop: float) -> FloatImage:
    """Decode the first frame, upright, as gray.

    Args:
        opened: what open_image gave.
        backdrop: the gray in [0, 1] that shows through transparent pixels.

    Returns:
        Shape (H, W), float32: [0, 1] for integer samples, as stored for float samples. Colour becomes BT.601 luma.

    Raises:
        InvalidImageError: the pixels are truncated or corrupt, have more than 16 bits, or are NaN or infinite.
    """
    image = opened.pillow
    try:
        image.load()
    except MemoryError:
        raise
    except Exception as error:  # the decoders raise what they like for corrupt pixels
        msg = f"The {opened.format} image is truncated or corrupt."
        raise InvalidImageError(msg) from error
    if image.mode.startswith("I"):
        gray = _integer_gray(image, backdrop)
    elif image.mode == "F":
        gray = np.asarray(image)
    else:
        levels: NDArray[np.uint8] = np.asarray(_eight_bit_gray(image, backdrop))
        gray = np.divide(levels, 255, dtype=np.float32)
    if image.mode == "F" and not np.isfinite(gray).all():
        msg = "The image has NaN or infinite samples."
        raise InvalidImageError(msg)
    return _upright(gray, _orientation(image))


def encode_png(gray: FloatImage) -> bytes:
    """Encode shape (H, W), nominal range [0, 1], as an 8-bit gray PNG; values outside the range are clipped.

    Each row is stored as its difference from the one above, filter type 2 of the PNG specification, section 9.2
    (https://www.w3.org/TR/png-3/). Pillow tries every filter on every row, and sets up an encoder: six times the time
    for a digit, twice for a photograph, and the files are no smaller.
    """
    levels = np.rint(np.clip(gray, 0, 1) * 255).astype(np.uint8)
    height, width = levels.shape
    rows = np.empty((height, 1 + width), np.uint8)
    rows[:, 0] = PNG_FILTER_UP
    rows[0, 1:] = levels[0]
    np.subtract(levels[1:], levels[:-1], out=rows[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)  # 8 bits, gray, the only compression and filters
    pixels = zlib.compress(rows.data, PNG_COMPRESSION)
    return b"".join((PNG_SIGNATURE, _png_chunk(b"IHDR", header), _png_chunk(b"IDAT", pixels), _png_chunk(b"IEND", b"")))


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))


def _check_size(size: tuple[int, int] | None, max_pixels: int) -> None:
    if size is not None and size[0] * size[1] > max_pixels:
        msg = f"The image has {size[0]} x {size[1]} = {size[0] * size[1]} pixels; at most {max_pixels} are accepted."
        raise ImageTooLargeError(msg, limit=max_pixels)


def _integer_gray(image: Image.Image, backdrop: float) -> FloatImage:
    """16-bit gray without loss; Pillow's own conversion to 8 bits would cut values above 255."""
    tags = getattr(image, "tag_v2", {})
    if image.mode == "I" and image.format != "PPM":  # a PNM of up to 16 bits is the one that comes in 32
        msg = "The image has integer samples that are signed or have more than 16 bits; convert it to 16 bits."
        raise InvalidImageError(msg)
    largest = 2 ** tags.get(TIFF_BITS_PER_SAMPLE, (16,))[0] - 1
    samples = np.asarray(image)
    gray = samples.astype(np.float32) / np.float32(largest)
    if tags.get(TIFF_PHOTOMETRIC) == WHITE_IS_ZERO:
        gray = 1 - gray
    if isinstance(transparent := image.info.get("transparency"), int):
        gray[samples == transparent] = backdrop
    return gray


def _eight_bit_gray(image: Image.Image, backdrop: float) -> Image.Image:
    if "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode in ("LA", "PA", "RGBA"):
        # luma is a sum of the colours, so that it can be taken before they are blended: a quarter of the memory
        return Image.composite(
            image.convert("L"), Image.new("L", image.size, round(backdrop * 255)), image.getchannel("A")
        )
    if image.mode not in ("1", "L", "P", "RGB"):
        image = image.convert("RGB")
    return image if image.mode == "L" else image.convert("L")


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 where it is missing or where the EXIF data cannot be read, as viewers do."""
    try:
        return int(image.getexif().get(ORIENTATION_TAG, 1))
    except Exception:  # a broken EXIF block is no reason to refuse the picture
        return 1


def _upright(gray: FloatImage, orientation: int) -> FloatImage:
    """Undo an EXIF orientation (Exif 2.32, tag 0x0112)."""
    match orientation:
        case 2:
            return gray[:, ::-1]
        case 3:
            return gray[::-1, ::-1]
        case 4:
            return gray[::-1]
        case 5:
            return gray.T
        case 6:
            return np.rot90(gray, -1)
        case 7:
            return gray[::-1, ::-1].T
        case 8:
            return np.rot90(gray)
        case _:
            return gray
