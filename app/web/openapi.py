"""The parts of the OpenAPI description that FastAPI cannot derive: binary bodies, and errors as problem details."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.imaging.encode import MEDIA_TYPES
from app.web.access import required_scope
from app.web.schemas import BatchResponse, DenoiseResponse, Problem

SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A key, as `Authorization: Bearer KEY`."},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A key, in a header of its own."},
}
_REFERENCE = "#/components/schemas/{model}"
_BINARY = {"schema": {"type": "string", "format": "binary"}}  # Swagger UI shows a file picker only for this schema
_STATUS_DESCRIPTIONS = {
    400: "No image in the request",
    401: "No key, or an unknown one",
    403: "The key has not the scope",
    404: "No such model or version",
    406: "`Accept` allows none of the media types of the response",
    413: "More bytes, or files, than the limit",
    415: "Not one of the accepted formats",
    422: "Corrupt image, too many pixels, or an invalid parameter",
    429: "The queue is full, or the key is over its rate or its share; `Retry-After` says when to try again",
    500: "The network failed",
    503: "Not ready, draining, or past the deadline; `Retry-After` says when to try again",
}


def _form_request(part: str, schema: dict[str, Any], **other_types: Any) -> dict[str, Any]:  # noqa: ANN401  # OpenAPI
    form = {"schema": {"type": "object", "required": [part], "properties": {part: schema}}}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": form} | other_types}}


def _responses(description: str, schema: type[BaseModel], *media_types: str) -> dict[int | str, dict[str, Any]]:
    in_json = {"schema": {"$ref": _REFERENCE.format(model=schema.__name__)}}
    content = dict.fromkeys(media_types, _BINARY) | {"application/json": in_json}
    return {200: {"description": description, "content": content}}


IMAGE_REQUEST = _form_request(
    "file", _BINARY["schema"] | {"description": "The noisy picture."}, **{"application/octet-stream": _BINARY}
)
BATCH_REQUEST = _form_request(
    "files", {"type": "array", "items": _BINARY["schema"], "description": "The noisy pictures."}
)
IMAGE_RESPONSES = _responses(
    "The denoised picture. `Server-Timing` has the milliseconds of each stage; the `X-` headers name the model and say "
    "what the service found out about the picture.",
    DenoiseResponse,
    *MEDIA_TYPES.values(),
)
BATCH_RESPONSES = _responses(
    "The denoised pictures and the outcome of each file: a ZIP of images whose last entry is `manifest.json`, or JSON. "
    "The response is sent while it is made; a truncated one has no manifest.",
    BatchResponse,
    "application/zip",
)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe error responses, for the ``responses`` of a route."""
    reference = {"$ref": _REFERENCE.format(model=Problem.__name__)}
    content = {"application/problem+json": {"schema": reference}}
    return {status: {"description": _STATUS_DESCRIPTIONS[status], "content": content} for status in statuses}


def describe_api(app: FastAPI, *, requires_keys: bool) -> dict[str, Any]:
    """Build the OpenAPI description of ``app``, with the schemas that the parts above refer to."""
    description: dict[str, Any] = get_openapi(
        title=app.title, version=app.version, summary=app.summary, routes=app.routes
    )
    _, definitions = models_json_schema(
        [(model, "serialization") for model in (DenoiseResponse, BatchResponse, Problem)], ref_template=_REFERENCE
    )
    description["components"]["schemas"].update(definitions["$defs"])
    description["security"] = []
    if requires_keys:
        _describe_keys(description)
    return description


def _describe_keys(description: dict[str, Any]) -> None:
    """Say which operations need a key, and how they refuse requests."""
    description["components"]["securitySchemes"] = SECURITY_SCHEMES
    description["security"] = [{name: []} for name in SECURITY_SCHEMES]
    for path, operations in description["paths"].items():
        for operation in operations.values():
            if required_scope(path) is None:
                operation["security"] = []
            else:
                refusals = {str(status): described for status, described in problem_responses(401, 403, 429).items()}
                operation["responses"] = dict(sorted((refusals | operation["responses"]).items()))
