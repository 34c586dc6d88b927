"""Turn what a caller has into the bytes of an image file."""

import os
import sys
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

Picture: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | memoryview | NDArray[Any] | Image"

PNG_MODES = frozenset({"1", "L", "LA", "I", "I;16", "P", "RGB", "RGBA"})
ARRAYS = "uint8 of shape (H, W) or (H, W, 3), or gray of shape (H, W) in uint16 or float"


def read_picture(picture: Picture) -> bytes:
    """Return the bytes of an image file: those of a path or the given ones; arrays and Pillow's images become a file.

    Raises:
        OSError: the file cannot be read.
        TypeError: this is no picture, or an array of another kind.
    """
    if isinstance(picture, str | os.PathLike):
        return Path(picture).read_bytes()
    if isinstance(picture, bytes | bytearray | memoryview):
        return bytes(picture)
    pillow = sys.modules.get("PIL.Image")  # whoever has an image of Pillow's has imported it
    if pillow is not None and isinstance(picture, pillow.Image):
        return _encode(picture)
    if hasattr(picture, "__array_interface__"):
        return _encode_array(picture)
    raise TypeError(f"a picture is a path, bytes, an array or an image of Pillow's, not {type(picture).__name__}")


def _encode(image: "Image") -> bytes:
    """Encode without loss: as PNG, or as TIFF what PNG cannot hold."""
    from PIL import ImageOps

    buffer = BytesIO()
    ImageOps.exif_transpose(image).save(buffer, "PNG" if image.mode in PNG_MODES else "TIFF")
    return buffer.getvalue()


def _encode_array(array: Any) -> bytes:  # noqa: ANN401  # NumPy may be missing
    import numpy as np
    from PIL import Image

    samples = np.asarray(array)
    if samples.dtype.kind == "f":
        samples = samples.astype(np.float32)
    is_gray = samples.ndim == 2 and samples.dtype in (np.uint8, np.uint16, np.float32)
    is_rgb = samples.ndim == 3 and samples.shape[2] == 3 and samples.dtype == np.uint8
    if not (is_gray or is_rgb):
        raise TypeError(f"an array has to be {ARRAYS}, not {samples.dtype} of shape {samples.shape}")
    return _encode(Image.fromarray(samples))
