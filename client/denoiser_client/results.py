"""The response to a picture: the clean one, and what is known about it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2 as httpx

from denoiser_client.errors import DenoiserError, NoDenoiserError
from denoiser_client.pictures import Picture

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

STAGE = re.compile(r"(\w+);dur=([\d.]+)")


@dataclass(frozen=True)
class Model:
    """The network that denoised a picture."""

    name: str
    version: int

    def __str__(self) -> str:
        return f"{self.name}/{self.version}"


@dataclass(frozen=True)
class Denoised:
    """A denoised picture.

    Attributes:
        content: the picture, encoded.
        media_type: of ``content``: ``image/png``, for example.
        model: the network that denoised it.
        timing_ms: milliseconds of each stage in the service, and ``total``.
        input_size: width and height of the noisy picture, upright, in pixels.
        polarity: that of the picture, if the network was trained for one.
        noise_level: standard deviation of its noise on the 8-bit scale, if the network takes one.
        batch_size: how many pictures shared the network's call.
        request_id: under which the log of the service has the request.
    """

    content: bytes
    media_type: str
    model: Model
    timing_ms: Mapping[str, float]
    input_size: tuple[int, int]
    polarity: str | None
    noise_level: float | None
    batch_size: int
    request_id: str

    def save(self, path: str | Path) -> None:
        """Write the picture to a file."""
        Path(path).write_bytes(self.content)

    def to_image(self) -> "Image":
        """Return the picture as an image of Pillow's, which has to be installed."""
        from PIL import Image

        return Image.open(BytesIO(self.content))

    def to_array(self) -> "NDArray[Any]":
        """Return the picture as an array of shape (H, W) or (H, W, 3); NumPy and Pillow have to be installed."""
        import numpy as np

        return np.asarray(self.to_image())


@dataclass(frozen=True)
class Outcome:
    """What became of one picture of many: ``denoised``, or the ``error``, of this package or an OSError."""

    picture: Picture
    denoised: Denoised | None = None
    error: DenoiserError | OSError | None = None


def read_result(response: httpx.Response) -> Denoised:
    """Read a successful response.

    Raises:
        NoDenoiserError: it is not one of a denoiser.
    """
    headers = response.headers
    try:
        width, height = headers["X-Input-Size"].split("x")
        return Denoised(
            content=response.content,
            media_type=headers["Content-Type"],
            model=Model(headers["X-Model-Name"], int(headers["X-Model-Version"])),
            timing_ms={stage: float(ms) for stage, ms in STAGE.findall(headers["Server-Timing"])},
            input_size=(int(width), int(height)),
            polarity=headers.get("X-Polarity"),
            noise_level=float(headers["X-Noise-Level"]) if "X-Noise-Level" in headers else None,
            batch_size=int(headers["X-Batch-Size"]),
            request_id=headers["X-Request-ID"],
        )
    except (KeyError, ValueError) as error:
        raise NoDenoiserError(str(response.request.url.host), response.status_code) from error
