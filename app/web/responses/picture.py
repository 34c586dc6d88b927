"""A denoised picture as an HTTP response: the image with headers, or JSON."""

import base64
from functools import lru_cache
from pathlib import PurePath
from urllib.parse import quote

from fastapi import Response

from app.imaging.encode import ENDINGS, MEDIA_TYPES
from app.imaging.samples import WHITE_8
from app.inference.metadata import ModelMetadata
from app.processing.picture import DenoisedPicture, Picture
from app.telemetry.timing import server_timing
from app.web.requests.negotiation import JSON
from app.web.schemas import DenoiseResponse, EncodedImage, InputDescription, ModelReference


def to_response(denoised: DenoisedPicture, media_type: str) -> Response:
    """Build the response: JSON, or an image of the format of the result; both have the same headers."""
    headers = _headers(denoised)
    if media_type != JSON:
        headers["Content-Disposition"] = content_disposition(denoised.filename, ENDINGS[denoised.format])
        return Response(denoised.encoded, media_type=media_type, headers=headers)
    body = DenoiseResponse(
        image=to_encoded_image(denoised),
        model=to_reference(denoised.model),
        input=to_description(denoised.source),
        timing_ms=denoised.timing_ms,
        batch_size=denoised.batch_size,
    )
    return Response(body.model_dump_json(), media_type=media_type, headers=headers)


def log_fields(denoised: DenoisedPicture) -> dict[str, object]:
    """Return the fields that a picture adds to the request's log record."""
    return {
        "model": denoised.model.name,
        "version": denoised.model.version,
        "format": denoised.source.format,
        "width": denoised.source.width,
        "height": denoised.source.height,
        "batch_size": denoised.batch_size,
        "timing_ms": denoised.timing_ms,
    }


def to_encoded_image(denoised: DenoisedPicture) -> EncodedImage:
    """Return the result in base64, for JSON."""
    text = base64.b64encode(denoised.encoded).decode("ascii")
    media_type = MEDIA_TYPES[denoised.format]
    return EncodedImage(media_type=media_type, width=denoised.width, height=denoised.height, base64=text)


def to_reference(model: ModelMetadata) -> ModelReference:
    """Return the name and the version of a model."""
    return ModelReference(name=model.name, version=model.version)


def to_description(source: Picture) -> InputDescription:
    """Return what was found out about the picture."""
    return InputDescription(
        format=source.format,
        width=source.width,
        height=source.height,
        polarity=source.polarity,
        noise_level=_noise_level_8bit(source),
    )


@lru_cache(maxsize=256)
def content_disposition(filename: str | None, ending: str = ".png") -> str:
    """Return the header that names the response after the upload, without its folder, with ``ending`` (RFC 6266)."""
    stem = PurePath((filename or "image").replace("\\", "/")).stem or "image"
    name = f"{''.join(character for character in stem if character.isprintable())}-denoised{ending}"
    plain = name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
    value = f'inline; filename="{plain}"'
    return value if plain == name else f"{value}; filename*=UTF-8''{quote(name, safe='')}"


def _headers(denoised: DenoisedPicture) -> dict[str, str]:
    source = denoised.source
    headers = {
        "Server-Timing": server_timing(denoised.timing_ms),
        "X-Model-Name": denoised.model.name,
        "X-Model-Version": str(denoised.model.version),
        "X-Input-Size": f"{source.width}x{source.height}",
        "X-Batch-Size": str(denoised.batch_size),
    }
    if source.polarity is not None:
        headers["X-Polarity"] = source.polarity
    if (level := _noise_level_8bit(source)) is not None:
        headers["X-Noise-Level"] = f"{level:g}"
    return headers


def _noise_level_8bit(source: Picture) -> float | None:
    return None if source.noise_level is None else round(source.noise_level * WHITE_8, 1)
