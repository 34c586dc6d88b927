"""A denoised picture as an HTTP answer: the PNG with headers, or JSON."""

import base64
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath
from urllib.parse import quote

from fastapi import Response

from app.metadata import ModelMetadata
from app.pipeline import EncodedPicture, Picture
from app.schemas import DenoiseResponse, EncodedImage, InputDescription, ModelReference
from app.timing import server_timing

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
        height, width = self.picture.fitted.source_size
        return {
            "model": self.model.name,
            "version": self.model.version,
            "format": self.picture.format,
            "width": width,
            "height": height,
            "batch_size": self.batch_size,
            "timing_ms": self.milliseconds,
        }

    def _headers(self) -> dict[str, str]:
        height, width = self.picture.fitted.source_size
        headers = {
            "Server-Timing": server_timing(self.milliseconds),
            "X-Model-Name": self.model.name,
            "X-Model-Version": str(self.model.version),
            "X-Input-Size": f"{width}x{height}",
            "X-Batch-Size": str(self.batch_size),
        }
        if (polarity := self.picture.fitted.polarity) is not None:
            headers["X-Polarity"] = polarity
        return headers

    def _body(self) -> DenoiseResponse:
        height, width = self.picture.fitted.source_size
        encoded = self.encoded
        return DenoiseResponse(
            image=EncodedImage(
                width=encoded.width, height=encoded.height, base64=base64.b64encode(encoded.png).decode("ascii")
            ),
            model=ModelReference(name=self.model.name, version=self.model.version),
            input=InputDescription(
                format=self.picture.format,
                width=width,
                height=height,
                polarity=self.picture.fitted.polarity,
                noise_level=None,
            ),
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
