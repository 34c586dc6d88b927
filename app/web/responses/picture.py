"""A denoised picture as an HTTP answer: the PNG with headers, or JSON."""

import base64
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath
from urllib.parse import quote

from fastapi import Response

from app.inference.metadata import ModelMetadata
from app.processing.options import LEVELS
from app.processing.picture import Picture
from app.processing.pipeline import EncodedPicture
from app.telemetry.timing import server_timing
from app.web.schemas import DenoiseResponse, EncodedImage, InputDescription, ModelReference

MEDIA_TYPES = ("image/png", "application/json")


@dataclass(frozen=True)
class Answer:
    """A denoised picture and what is known about it; ``filename`` is the upload's."""

    encoded: EncodedPicture
    picture: Picture
    model: ModelMetadata
    batch_size: int
    milliseconds: dict[str, float]
    filename: str | None

    def response(self, media_type: str) -> Response:
        """Build the answer in one of MEDIA_TYPES; the headers are the same."""
        headers = self._headers()
        if media_type == "image/png":
            headers["Content-Disposition"] = content_disposition(self.filename)
            return Response(self.encoded.png, media_type=media_type, headers=headers)
        return Response(self._body().model_dump_json(), media_type=media_type, headers=headers)

    def log_fields(self) -> dict[str, object]:
        """What the request's log record says about it."""
        return {
            "model": self.model.name,
            "version": self.model.version,
            "format": self.picture.format,
            "width": self.picture.width,
            "height": self.picture.height,
            "batch_size": self.batch_size,
            "timing_ms": self.milliseconds,
        }

    def _headers(self) -> dict[str, str]:
        headers = {
            "Server-Timing": server_timing(self.milliseconds),
            "X-Model-Name": self.model.name,
            "X-Model-Version": str(self.model.version),
            "X-Input-Size": f"{self.picture.width}x{self.picture.height}",
            "X-Batch-Size": str(self.batch_size),
        }
        if self.picture.polarity is not None:
            headers["X-Polarity"] = self.picture.polarity
        if (level := self._noise_level_8bit()) is not None:
            headers["X-Noise-Level"] = f"{level:g}"
        return headers

    def _noise_level_8bit(self) -> float | None:
        level = self.picture.noise_level
        return None if level is None else round(level * LEVELS, 1)

    def image(self) -> EncodedImage:
        """The PNG, for JSON."""
        encoded = self.encoded
        return EncodedImage(
            width=encoded.width, height=encoded.height, base64=base64.b64encode(encoded.png).decode("ascii")
        )

    def model_reference(self) -> ModelReference:
        """Which version of which model answered."""
        return ModelReference(name=self.model.name, version=self.model.version)

    def input_description(self) -> InputDescription:
        """What was understood of the picture."""
        return InputDescription(
            format=self.picture.format,
            width=self.picture.width,
            height=self.picture.height,
            polarity=self.picture.polarity,
            noise_level=self._noise_level_8bit(),
        )

    def _body(self) -> DenoiseResponse:
        return DenoiseResponse(
            image=self.image(),
            model=self.model_reference(),
            input=self.input_description(),
            timing_ms=self.milliseconds,
            batch_size=self.batch_size,
        )


@lru_cache(maxsize=256)
def content_disposition(filename: str | None) -> str:
    """Name the answer after the upload (RFC 6266), without its folder and ending."""
    stem = PurePath((filename or "image").replace("\\", "/")).stem or "image"
    name = f"{''.join(character for character in stem if character.isprintable())}-denoised.png"
    plain = name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
    value = f'inline; filename="{plain}"'
    return value if plain == name else f"{value}; filename*=UTF-8''{quote(name, safe='')}"
