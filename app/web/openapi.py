"""The parts of the OpenAPI description that FastAPI cannot derive: binary bodies, and errors as problem details."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.imaging.encode import MEDIA_TYPES
from app.web.access import required_scope
from app.web.inference_schemas import InferenceRequest
from app.web.schemas import BatchResponse, DenoiseQuery, DenoiseResponse, Problem

SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A key, as `Authorization: Bearer KEY`."},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A key, in a header of its own."},
}
_REFERENCE = "#/components/schemas/{model}"
_BINARY = {"type": "string", "format": "binary"}  # Swagger UI shows a file picker only for this schema
_JSON, _OCTET_STREAM = "application/json", "application/octet-stream"
_STATUS_DESCRIPTIONS = {
    400: "No image in the request, or an invalid tensor",
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
_PROBLEM = {"type": "/problems/invalid-parameter", "title": "Invalid parameter", "status": 422,
            "detail": "There is no parameter 'modle'; is 'model' meant?", "parameter": "modle"}  # fmt: skip
_TAGS = [
    {"name": "denoise", "description": "Send noisy pictures, get clean ones."},
    {"name": "models", "description": "Which networks there are, what they take, and how good they are."},
    {
        "name": "Open Inference Protocol",
        "description": "Tensors instead of pictures, for clients of KServe and Triton.",
    },
    {"name": "operations", "description": "Probes and metrics."},
]


def _header(description: str, example: str | int | float, **schema: object) -> dict[str, Any]:
    kind = {str: "string", int: "integer", float: "number"}[type(example)]
    return {"description": description, "schema": {"type": kind, **schema}, "example": example}


_REQUEST_ID = {"X-Request-ID": _header("The request's own, or a new one; also in the log.", "7f3c0a52b1e84d6e")}
_RETRY_AFTER = {"Retry-After": _header("Seconds after which to try again.", 1, minimum=0)}
_WWW_AUTHENTICATE = {"WWW-Authenticate": _header("How a key is sent.", 'Bearer realm="denoiser"')}
_MODEL = {
    "X-Model-Name": _header("The model that denoised the picture; of a batch, if it is the same for all.", "digits"),
    "X-Model-Version": _header("Its version.", 2, minimum=1),
}
_DISPOSITION = {"Content-Disposition": _header("The file name of the result.", 'inline; filename="seven-denoised.png"')}
_PICTURE = {
    "X-Input-Size": _header("`WIDTHxHEIGHT` of the picture, upright, in pixels.", "640x480"),
    "X-Polarity": _header("Of the picture; only for models trained for one.", "light-on-dark"),
    "X-Noise-Level": _header("On the 8-bit scale; only for models that take one.", 12.5, minimum=0),
    "X-Batch-Size": _header("How many pictures shared the network's call.", 1, minimum=1),
    "Server-Timing": _header("Milliseconds of each stage.", "read;dur=0.1, decode;dur=0.2, total;dur=1.9"),
}


def _form_request(part: str, schema: dict[str, Any], **other_types: Any) -> dict[str, Any]:  # noqa: ANN401  # OpenAPI
    """Describe a form; its other parts are the parameters of the query, and are checked like them."""
    fields = DenoiseQuery.model_json_schema()["properties"]
    properties = {part: schema} | {name: _without_null(field) for name, field in fields.items()}
    form = {"schema": {"type": "object", "required": [part], "properties": properties, "additionalProperties": False}}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": form} | other_types}}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter without null, which no query or form can contain, and which is its default."""
    alternatives = [kind for kind in schema.get("anyOf", ()) if kind.get("type") != "null"]
    rest = {key: value for key, value in schema.items() if key != "anyOf" and (key, value) != ("default", None)}
    if not alternatives:
        return rest
    return rest | (alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives})


def _responses(
    description: str, schema: type[BaseModel], example: object, headers: dict[str, Any], *media_types: str
) -> dict[int | str, dict[str, Any]]:
    """Describe a response with binary types first: client generators that know only some types take the first."""
    in_json = {"schema": {"$ref": _REFERENCE.format(model=schema.__name__)}, "example": example}
    content = {media_type: {"schema": _BINARY} for media_type in (*media_types, _OCTET_STREAM)} | {_JSON: in_json}
    return {200: {"description": description, "headers": headers, "content": content}}


_ITEM = {  # FastAPI removes null from examples
    "model": {"name": "photo", "version": 3},
    "input": {"format": "PNG", "width": 640, "height": 480, "polarity": "dark-on-light", "noise_level": 12.5},
    "timing_ms": {"decode": 2.2, "queue": 0.1, "infer": 230.4, "encode": 6.1, "total": 238.9},
    "batch_size": 1,
}
_IMAGE = {"media_type": "image/png", "width": 640, "height": 480, "base64": "iVBORw0KGgo="}
_BATCH = {
    "items": [{"name": "seven.png", "status": 200, "image": _IMAGE, **_ITEM}],
    "model": _ITEM["model"],
    "succeeded": 1,
    "failed": 0,
    "timing_ms": {"read": 1.2, "total": 240.5},
}
IMAGE_REQUEST = _form_request(
    "file", _BINARY | {"description": "The noisy picture."}, **{_OCTET_STREAM: {"schema": _BINARY}}
)
BATCH_REQUEST = _form_request("files", {"type": "array", "items": _BINARY, "description": "The noisy pictures."})
IMAGE_RESPONSES = _responses(
    "The denoised picture. `Server-Timing` has the milliseconds of each stage; the `X-` headers name the model and say "
    "what the service found out about the picture.",
    DenoiseResponse,
    {"image": _IMAGE, **_ITEM},
    _MODEL | _PICTURE | _DISPOSITION | _REQUEST_ID,
    *MEDIA_TYPES.values(),
)
BATCH_RESPONSES = _responses(
    "The denoised pictures and the outcome of each file: a ZIP of images whose last entry is `manifest.json`, or JSON. "
    "The response is sent while it is made; a truncated one has no manifest.",
    BatchResponse,
    _BATCH,
    _MODEL | _DISPOSITION | _REQUEST_ID,
    "application/zip",
)


INFERENCE_REQUEST: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            _JSON: {"schema": {"$ref": _REFERENCE.format(model=InferenceRequest.__name__)}},
            _OCTET_STREAM: {"schema": _BINARY},
        },
        "description": "JSON, or JSON and binary data behind it (`Inference-Header-Content-Length`).",
    }
}
INFERENCE_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The denoised tensor, as JSON, or as JSON and binary data behind it.",
        "headers": _REQUEST_ID
        | {
            "Inference-Header-Content-Length": _header("Bytes of the JSON, if binary data follows.", 153, minimum=1),
            "Server-Timing": _PICTURE["Server-Timing"],
        },
        "content": {_JSON: {"schema": {"type": "object"}}, _OCTET_STREAM: {"schema": _BINARY}},
    }
}


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe error responses, for the ``responses`` of a route."""
    reference = {"$ref": _REFERENCE.format(model=Problem.__name__)}
    headers = {401: _WWW_AUTHENTICATE, 429: _RETRY_AFTER, 503: _RETRY_AFTER}
    return {
        status: {
            "description": _STATUS_DESCRIPTIONS[status],
            "headers": _REQUEST_ID | headers.get(status, {}),
            "content": {
                "application/problem+json": {"schema": reference} | ({"example": _PROBLEM} if status == 422 else {})
            },
        }
        for status in statuses
    }


def describe_api(app: FastAPI, *, requires_keys: bool) -> dict[str, Any]:
    """Build the OpenAPI description of ``app``, with the schemas that the parts above refer to."""
    for route in app.routes:
        if isinstance(route, APIRoute):
            route.operation_id = route.name  # what generated clients call it
    description: dict[str, Any] = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description="`/docs` of the service shows this description with a form to try it.",
        routes=app.routes,
        tags=_TAGS,
        servers=[{"url": "/"}],
        license_info={"name": "Apache License 2.0", "identifier": "Apache-2.0"},
    )
    for operations in description["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _without_null(parameter["schema"])
    _, definitions = models_json_schema(
        [(model, "serialization") for model in (DenoiseResponse, BatchResponse, InferenceRequest, Problem)],
        ref_template=_REFERENCE,
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
