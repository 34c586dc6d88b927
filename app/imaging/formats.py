"""The formats that pictures may have, and what of Pillow reads them."""

import re
from contextlib import suppress

# A format that has not been imported makes Image.open import those of all formats.
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,  # noqa: F401  # importing it registers it, and so do all of these
    GifImagePlugin,  # noqa: F401
    JpegImagePlugin,  # noqa: F401
    MpoImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    PpmImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)

NAMES = {  # by Pillow's names; "JPEG" opens MPO, too
    "PNG": "PNG", "JPEG": "JPEG", "WEBP": "WebP", "AVIF": "AVIF", "BMP": "BMP", "TIFF": "TIFF", "GIF": "GIF",
    "PPM": "PNM",
}  # fmt: skip
SIGNATURES = [
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|RIFF.{4}WEBP|GIF8[79]a|II\*\0|MM\0\*|II\+\0|MM\0\+|P[1-6f][\s#]",
    rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0|.{4}ftyp(?:avif|avis|mif1)",
]

with suppress(ImportError):  # a package that users install beside the service
    import pillow_heif

    pillow_heif.register_heif_opener(decode_threads=1, thumbnails=False, depth_images=False, aux_images=False)
    NAMES["HEIF"] = "HEIC"
    SIGNATURES.append(rb".{4}ftyphe(?:ic|ix|vc|vx|im|is|vm|vs)")

AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each reserves memory, of which decoders have little

ACCEPTED_FORMATS = tuple(NAMES.values())
PILLOW_FORMATS = tuple(NAMES)
SIGNATURE = re.compile(b"|".join(SIGNATURES), re.DOTALL)


def name_of(pillow_format: str | None) -> str:
    """Return which of ACCEPTED_FORMATS Pillow has opened."""
    return "JPEG" if pillow_format == "MPO" else NAMES[str(pillow_format)]
