"""Encode a result in the format that the client chose."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any, Literal

from PIL import (
    AvifImagePlugin,  # noqa: F401  # importing it registers it: a format that is not known makes Pillow import all
    Image,
    JpegImagePlugin,  # noqa: F401  # likewise
    WebPImagePlugin,  # noqa: F401  # likewise
)

from app.cpu_quota import available_cpus
from app.errors import InvalidParameterError
from app.imaging.placement import Size
from app.imaging.png import encode_png
from app.imaging.samples import BitDepth, Levels

OutputFormat = Literal["png", "jpeg", "webp", "avif"]

MEDIA_TYPES: Mapping[OutputFormat, str] = {
    "png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp", "avif": "image/avif",
}  # fmt: skip
ENDINGS: Mapping[OutputFormat, str] = {"png": ".png", "jpeg": ".jpg", "webp": ".webp", "avif": ".avif"}
DEFAULT_QUALITY = 90

# Of libjpeg; of the format; of what libavif decodes, as it comes to browsers.
MAX_SIDES_PX: Mapping[OutputFormat, int] = {"jpeg": 65_500, "webp": 16_383, "avif": 32_768}
MAX_AVIF_PIXELS = 2**24  # its encoder takes 34 bytes for each, and a third of a second for each million

WEBP_METHOD, AVIF_SPEED = 2, 9  # of 0-6 and 0-10; twice the time would save less than a fifteenth of the size


def check_format(output_format: OutputFormat, *, size: Size, bit_depth: BitDepth) -> None:
    """Refuse a result that cannot be encoded.

    Args:
        output_format: the format that the client chose.
        size: height and width of the result.
        bit_depth: of its samples.

    Raises:
        InvalidParameterError: the format has fewer bits, or not so large pictures.
    """
    if bit_depth == 16 and output_format != "png":
        raise InvalidParameterError(
            f"format={output_format}: results of 16 bits are PNGs only; use format=png or bit_depth=8.",
            parameter="format",
        )
    largest = MAX_SIDES_PX.get(output_format)
    if largest is not None and max(size) > largest:
        raise InvalidParameterError(
            f"format={output_format}: a side of the result has {max(size)} pixels; at most {largest} are possible.",
            parameter="format",
            limit=largest,
        )
    if output_format == "avif" and size[0] * size[1] > MAX_AVIF_PIXELS:
        raise InvalidParameterError(
            f"format=avif: the result has {size[0] * size[1]} pixels; at most {MAX_AVIF_PIXELS} are possible.",
            parameter="format",
            limit=MAX_AVIF_PIXELS,
        )


def encode_image(
    levels: Levels, output_format: OutputFormat, *, quality: int = DEFAULT_QUALITY, icc_profile: bytes | None = None
) -> bytes:
    """Encode shape (H, W), gray, or (H, W, 3), RGB.

    Args:
        levels: uint8; for a PNG, also uint16.
        output_format: what check_format accepts.
        quality: 1 to 100, on the scale of the format's encoder; a PNG loses nothing.
        icc_profile: the colour profile of the levels; None for sRGB.
    """
    if output_format == "png":
        return encode_png(levels, icc_profile=icc_profile)
    options = _options(output_format, is_color=levels.ndim == 3) | {"quality": quality}
    if icc_profile is not None:
        options["icc_profile"] = icc_profile
    buffer = BytesIO()
    Image.fromarray(levels).save(buffer, output_format, **options)
    return buffer.getvalue()


def _options(output_format: OutputFormat, *, is_color: bool) -> dict[str, Any]:
    """Return Pillow's options; chroma has the full size, except in WebP, where it always has half of it."""
    match output_format:
        case "jpeg":
            return {"subsampling": "4:4:4"}
        case "webp":
            return {"method": WEBP_METHOD}
        case _:
            subsampling = "4:4:4" if is_color else "4:0:0"
            return {"speed": AVIF_SPEED, "subsampling": subsampling, "max_threads": available_cpus()}
