"""What every peer does around the network: read the upload, decode and encode PNGs with Pillow's defaults."""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import Request
from numpy.typing import NDArray
from PIL import Image
from starlette.datastructures import UploadFile

SIZE = 28


def model_folder() -> Path:
    """Return the folder of the SavedModel, which the load scenario passes in the environment."""
    return Path(os.environ["BENCHMARK_MODEL"])


async def read_upload(request: Request) -> bytes:
    """Return the part ``file`` of a form, or the body itself."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form() as form:
            part: Any = form["file"]
            return bytes(await part.read()) if isinstance(part, UploadFile) else str(part).encode()
    return await request.body()


def decode(data: bytes) -> NDArray[np.float32]:
    """Decode a PNG to gray of shape (28, 28), in [0, 1]."""
    image = Image.open(io.BytesIO(data)).convert("L")
    if image.size != (SIZE, SIZE):
        image = image.resize((SIZE, SIZE))
    return np.asarray(image, np.float32) / np.float32(255)


def encode(gray: NDArray[np.float32]) -> bytes:
    """Encode gray of shape (28, 28), in [0, 1], as PNG."""
    buffer = io.BytesIO()
    Image.fromarray(np.rint(gray * 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()
