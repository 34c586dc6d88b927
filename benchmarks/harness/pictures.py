"""The picture that every server gets, how it is sent, and how responses are compared."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

SIZE = 28
SIGMA = 0.4  # noise level, in [0, 1] units, at which the network for digits is evaluated
BOUNDARY = "denoiser-benchmark"
RAW = "raw"
MULTIPART = "multipart"

Levels = NDArray[np.float64]


def noisy_digit() -> NDArray[np.uint8]:
    """Draw a light 3 on dark, with Gaussian noise that is always the same."""
    image = Image.new("L", (SIZE, SIZE))
    font = ImageFont.load_default(size=24)
    ImageDraw.Draw(image).text((SIZE / 2, SIZE / 2), "3", fill=255, font=font, anchor="mm")
    noise = np.random.default_rng(0).normal(0, SIGMA, (SIZE, SIZE))
    noisy: NDArray[np.uint8] = np.rint(np.clip(np.asarray(image) / 255 + noise, 0, 1) * 255).astype(np.uint8)
    return noisy


def to_png(pixels: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def form(png: bytes) -> tuple[str, bytes]:
    """Return the content type and the body of a form with the part ``file``."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="digit.png"\r\n'
    head += "Content-Type: image/png\r\n\r\n"
    return f"multipart/form-data; boundary={BOUNDARY}", head.encode() + png + f"\r\n--{BOUNDARY}--\r\n".encode()


def body_as(kind: str, png: bytes) -> tuple[str, bytes]:
    """Return the content type and the body that send a PNG ``raw`` or as ``multipart``."""
    return form(png) if kind == MULTIPART else ("image/png", png)


def read_answer(png: bytes) -> Levels:
    """Read the PNG of a response: shape (28, 28), in [0, 255].

    Raises:
        ValueError: it is not an 8-bit gray PNG of that size.
    """
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        if image.size != (SIZE, SIZE) or image.mode != "L":
            msg = f"the response is {image.mode} of {image.size}"
            raise ValueError(msg)
        return np.asarray(image, np.float64)


def mean_difference(first: Levels, second: Levels) -> float:
    """Return the mean absolute difference, in 8-bit levels."""
    return float(np.abs(first - second).mean())
