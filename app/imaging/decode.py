"""Decode image bytes to arrays, with every pixel rule and every limit of the input."""

import warnings
from dataclasses import dataclass
from io import BytesIO
from math import prod

import numpy as np
from PIL import Image, PngImagePlugin

from app.errors import ImageTooLargeError, InvalidImageError, UnsupportedFormatError
from app.imaging.formats import ACCEPTED_FORMATS, PILLOW_FORMATS, SIGNATURE, name_of
from app.imaging.icc_profile import (
    MAX_PROFILE_BYTES,
    cmyk_to_srgb,
    drop_refused_profile,
    embedded_profile,
    find_profile,
    gray_to_srgb,
    rgb_to_srgb,
)
from app.imaging.placement import Size
from app.imaging.samples import WHITE_8, WHITE_16, FloatImage, Samples, is_gray, to_unit

MAX_SIDE_PX = 2**16 - 1  # as in a JPEG; resizing takes memory in proportion to the longer side
ALLOCATED_AT_ONCE = (b"GIF", b"RIFF")  # as soon as they are opened
MAX_SCANS = 256  # of a progressive JPEG; encoders write about ten, and decoding takes time in proportion
START_OF_SCAN = b"\xff\xda"

ORIENTATION_TAG = 0x0112
TIFF_BITS_PER_SAMPLE, TIFF_PHOTOMETRIC, WHITE_IS_ZERO = 258, 262, 0
MAX_FLOAT_SAMPLE = 10**9  # far beyond any noise; sums of squares of larger samples would overflow

KEPT_BLOCKS = 3  # of 16 MiB; a new one is zeroed by the kernel, which took a tenth of the time of a 12-megapixel JPEG

Image.core.set_blocks_max(KEPT_BLOCKS)  # type: ignore[attr-defined]  # in Pillow's documentation, not in its types
PngImagePlugin.MAX_TEXT_CHUNK = MAX_PROFILE_BYTES  # of one text, or of a colour profile, once inflated
PngImagePlugin.MAX_TEXT_MEMORY = 2**22  # bytes of all texts
warnings.filterwarnings("ignore", module=r"PIL\.")  # they quote the client's file; Python remembers each text


@dataclass(frozen=True)
class DecodedImage:
    """An image whose pixels have been read.

    Attributes:
        format: one of ACCEPTED_FORMATS.
        samples: gray of shape (H, W), or RGB, uint8, of shape (H, W, 3).
        icc_profile: the colour profile of RGB samples, if one came with them; all other samples are in sRGB.
    """

    format: str
    samples: Samples
    icc_profile: bytes | None = None


@dataclass(frozen=True)
class OpenedImage:
    """An image whose header has been read, but not its pixels.

    Attributes:
        format: one of ACCEPTED_FORMATS.
        size: height and width as stored, before the image is turned upright.
        profile_bytes: how many bytes its colour profile has, unless it is too large to be used.
    """

    format: str
    size: Size
    pillow: Image.Image
    profile_bytes: int = 0

    @property
    def pixels(self) -> int:
        """How many pixels decoding will produce."""
        return prod(self.size)


def open_image(data: bytes, *, max_pixels: int) -> OpenedImage:
    """Read the header of an encoded image; only the content decides its format.

    Raises:
        UnsupportedFormatError: the bytes are not in an accepted format.
        InvalidImageError: the header is truncated or corrupt, or a progressive JPEG has more than MAX_SCANS scans.
        ImageTooLargeError: the header announces more than ``max_pixels`` pixels, or a side above MAX_SIDE_PX.
    """
    if data.startswith(ALLOCATED_AT_ONCE):
        Image.MAX_IMAGE_PIXELS = (max_pixels + 1) // 2  # Pillow refuses more than twice that before it allocates
    try:
        pillow = Image.open(BytesIO(drop_refused_profile(data)), formats=PILLOW_FORMATS)
    except MemoryError:
        raise
    except Image.DecompressionBombError as error:
        raise ImageTooLargeError(
            f"The image has more pixels than the {max_pixels} that are accepted.", limit=max_pixels
        ) from error
    except Exception as error:  # parsers may raise anything for a corrupt header
        if SIGNATURE.match(data):
            raise InvalidImageError(
                "The image has a truncated or corrupt header, no pixels, or samples of an unsupported kind."
            ) from error
        raise UnsupportedFormatError(
            f"The bytes are not an image in one of the accepted formats: {', '.join(ACCEPTED_FORMATS)}.",
            names=ACCEPTED_FORMATS,
        ) from error
    finally:
        Image.MAX_IMAGE_PIXELS = None
    _check_size(pillow.size, max_pixels)
    _check_scans(pillow, data)
    return OpenedImage(
        format=name_of(pillow.format),
        size=(pillow.height, pillow.width),
        pillow=pillow,
        profile_bytes=len(embedded_profile(pillow)),
    )


def decode_image(opened: OpenedImage, *, backdrop: float, keeps_color: bool = False) -> DecodedImage:
    """Decode the first frame, upright, in the smallest type that holds it.

    Colour that is kept keeps its colour profile; gray is computed in sRGB. Profiles of gray and of CMYK are used only
    to read the samples.

    Args:
        opened: what open_image returned.
        backdrop: the gray in [0, 1] that shows through transparent pixels.
        keeps_color: whether an image that has colour stays in colour; otherwise it becomes BT.601 luma.

    Raises:
        InvalidImageError: the pixels are truncated or corrupt, have more than 16 bits, are NaN or infinite, or lack
            their palette.
    """
    image = opened.pillow
    try:
        image.load()
    except MemoryError:
        raise
    except Exception as error:  # decoders may raise anything for corrupt pixels
        raise InvalidImageError(f"The {opened.format} image is truncated or corrupt.") from error
    if image.width * image.height != opened.pixels:  # HEIC says its size twice
        raise InvalidImageError("The image has not as many pixels as its header says.")
    if image.mode in ("P", "PA") and image.palette is None:
        raise InvalidImageError(f"The {opened.format} image has no palette.")
    orientation = _orientation(image)
    if image.mode == "F":
        samples, profile = np.asarray(image), None
        _check_float_samples(samples)
    elif _is_colored(image):
        samples, profile = _color_samples(image, backdrop, keeps_color=keeps_color)
    else:
        samples, profile = _gray_samples(image, backdrop), None
    return DecodedImage(opened.format, _upright(samples, orientation), profile)


def decode_gray(opened: OpenedImage, *, backdrop: float) -> FloatImage:
    """Decode as decode_image does, to gray of shape (H, W) in [0, 1]; float samples are kept as they are stored."""
    return to_unit(decode_image(opened, backdrop=backdrop).samples)


def _check_float_samples(samples: Samples) -> None:
    if not np.isfinite(samples).all():
        raise InvalidImageError("The image has NaN or infinite samples.")
    if max(samples.max(), -samples.min()) > MAX_FLOAT_SAMPLE:
        raise InvalidImageError(
            f"The image has samples beyond {MAX_FLOAT_SAMPLE}; float samples are nominally from 0 to 1."
        )


def _check_size(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise ImageTooLargeError(
            f"The image has {width} x {height} = {width * height} pixels; at most {max_pixels} are accepted.",
            limit=max_pixels,
        )
    if max(size) > MAX_SIDE_PX:
        raise ImageTooLargeError(
            f"The image has {width} x {height} pixels; a side may have at most {MAX_SIDE_PX}.", limit=MAX_SIDE_PX
        )


def _check_scans(image: Image.Image, data: bytes) -> None:
    if "progressive" in image.info and data.count(START_OF_SCAN) > MAX_SCANS:
        raise InvalidImageError(f"The image has more than {MAX_SCANS} scans.", limit=MAX_SCANS)


def _integer_gray(image: Image.Image, backdrop: float) -> Samples:
    """Return 16-bit gray without loss; Pillow's own conversion to 8 bits would clip values above 255."""
    tags = getattr(image, "tag_v2", {})
    if image.mode == "I" and image.format != "PPM":  # of images up to 16 bits, Pillow widens only PNM to 32
        raise InvalidImageError(
            "The image has integer samples that are signed or have more than 16 bits; convert it to 16 bits."
        )
    largest = 2 ** tags.get(TIFF_BITS_PER_SAMPLE, (16,))[0] - 1
    is_inverted = tags.get(TIFF_PHOTOMETRIC) == WHITE_IS_ZERO
    transparent = image.info.get("transparency")
    samples = np.asarray(image)
    if largest == WHITE_16 and not is_inverted and not isinstance(transparent, int):
        return samples.astype(np.uint16)
    gray = samples.astype(np.float32) / np.float32(largest)
    if is_inverted:
        gray = 1 - gray
    if isinstance(transparent, int):
        gray[samples == transparent] = backdrop
    return gray


def _is_colored(image: Image.Image) -> bool:
    """Return whether the mode can hold colour."""
    return image.mode not in ("1", "L", "LA", "La") and not image.mode.startswith("I")


def _color_samples(image: Image.Image, backdrop: float, *, keeps_color: bool) -> tuple[Samples, bytes | None]:
    """Return RGB with its profile, or luma, which is that of sRGB and has none."""
    profile = find_profile(image)
    if profile is not None and image.mode == "CMYK":
        image, profile = cmyk_to_srgb(image, profile), None
    if keeps_color and not is_gray(rgb := np.asarray(_eight_bit_rgb(image, backdrop))):
        return rgb, profile
    if profile is not None:
        image = rgb_to_srgb(_eight_bit_rgb(image, backdrop), profile)
    return np.asarray(_eight_bit_gray(image, backdrop)), None


def _gray_samples(image: Image.Image, backdrop: float) -> Samples:
    profile = find_profile(image)
    is_deep = image.mode.startswith("I")
    samples = _integer_gray(image, backdrop) if is_deep else np.asarray(_eight_bit_gray(image, backdrop))
    return samples if profile is None else gray_to_srgb(samples, profile)


def _eight_bit_rgb(image: Image.Image, backdrop: float) -> Image.Image:
    if image.has_transparency_data:
        layer = image if image.mode == "RGBA" else image.convert("RGBA")
        ground = Image.new("RGB", image.size, (round(backdrop * WHITE_8),) * 3)
        ground.paste(layer.convert("RGB"), mask=layer.getchannel("A"))
        return ground
    return image if image.mode == "RGB" else image.convert("RGB")


def _eight_bit_gray(image: Image.Image, backdrop: float) -> Image.Image:
    if "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode in ("LA", "PA", "RGBA"):
        # luma is linear, so it can be taken before blending, in a quarter of the memory
        return Image.composite(
            image.convert("L"), Image.new("L", image.size, round(backdrop * WHITE_8)), image.getchannel("A")
        )
    if image.mode not in ("1", "L", "P", "RGB"):
        image = image.convert("RGB")
    return image if image.mode == "L" else image.convert("L")


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; like viewers, 1 if there is none or the EXIF data cannot be read."""
    if not image.info:  # EXIF data is in here; TIFF, whose tags are elsewhere, notes its compression
        return 1
    try:
        return int(image.getexif().get(ORIENTATION_TAG, 1))
    except Exception:  # a broken EXIF block is no reason to refuse the picture
        return 1


def _upright(samples: Samples, orientation: int) -> Samples:
    """Undo an EXIF orientation (Exif 2.32, tag 0x0112) of samples whose first two axes are rows and columns."""
    match orientation:
        case 2:
            return samples[:, ::-1]
        case 3:
            return samples[::-1, ::-1]
        case 4:
            return samples[::-1]
        case 5:
            return samples.swapaxes(0, 1)
        case 6:
            return np.rot90(samples, -1)
        case 7:
            return samples[::-1, ::-1].swapaxes(0, 1)
        case 8:
            return np.rot90(samples)
        case _:
            return samples
