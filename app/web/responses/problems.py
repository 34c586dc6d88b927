"""The one table from error class to HTTP status, and the handlers that turn errors into problem details."""

import logging
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from app import errors
from app.errors import MAX_ECHO
from app.telemetry.request_log import add_to_record
from app.web.requests.query import invalid_parameter
from app.web.schemas import Problem

MEDIA_TYPE = "application/problem+json"
INFERENCE_PATH = "/v2"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ProblemType:
    """A kind of problem: its HTTP status, the last part of its address, its title, and advice for the client."""

    status: int
    slug: str
    title: str
    advice: str


INTERNAL_DETAIL = "Something went wrong inside the service."
INTERNAL_ERROR = ProblemType(500, "internal-error", "Internal error", "Report it with the response's X-Request-ID.")
NOT_FOUND = ProblemType(404, "not-found", "No such page", "The endpoints are listed at /docs.")
PROBLEM_TYPES: dict[type[errors.DenoiserError], ProblemType] = {
    errors.KeyMissingError: ProblemType(
        401, "key-missing", "No key", "Send a key as `X-API-Key`, or as `Authorization: Bearer`."
    ),
    errors.KeyUnknownError: ProblemType(
        401, "key-unknown", "Unknown key", "Check the key; it may have been replaced by another."
    ),
    errors.ScopeMissingError: ProblemType(
        403, "scope-missing", "Key without the scope", "Use a key that has the scope which the detail names."
    ),
    errors.RateExceededError: ProblemType(
        429, "rate-exceeded", "Too many requests", "Try again after the number of seconds in Retry-After."
    ),
    errors.ShareExceededError: ProblemType(
        429,
        "share-exceeded",
        "Too many requests at once",
        "Send fewer requests at once; try again after the number of seconds in Retry-After.",
    ),
    errors.NoImageError: ProblemType(
        400,
        "no-image",
        "No image in the request",
        "Send the picture as the body, or in the part `file` of a form; for a batch, in parts `files`.",
    ),
    errors.ModelNotFoundError: ProblemType(
        404, "model-not-found", "No such model", "GET /v1/models lists the models and their versions."
    ),
    errors.ProblemNotFoundError: NOT_FOUND,
    errors.NotAcceptableError: ProblemType(
        406, "not-acceptable", "No acceptable media type", "Accept one of the media types that `names` lists."
    ),
    errors.UploadTooLargeError: ProblemType(
        413, "upload-too-large", "Upload too large", "Send fewer bytes, or raise DENOISER_MAX_UPLOAD_BYTES."
    ),
    errors.TooManyFilesError: ProblemType(
        413, "too-many-files", "Too many files", "Send fewer files in one request, or raise DENOISER_MAX_BATCH_FILES."
    ),
    errors.UnsupportedFormatError: ProblemType(
        415, "unsupported-format", "Unsupported image format", "Convert the image to one of the accepted formats."
    ),
    errors.InvalidImageError: ProblemType(
        422, "invalid-image", "Invalid image", "Check that the file opens in a viewer and was sent completely."
    ),
    errors.ImageTooLargeError: ProblemType(
        422, "image-too-large", "Too many pixels", "Scale the image down, or raise DENOISER_MAX_PIXELS."
    ),
    errors.InvalidParameterError: ProblemType(
        422,
        "invalid-parameter",
        "Invalid parameter",
        "Correct the parameter that the detail names; /docs lists all parameters.",
    ),
    errors.InvalidTensorError: ProblemType(
        400, "invalid-tensor", "Invalid tensor", "GET /v2/models/NAME says which tensors the model takes."
    ),
    errors.QueueFullError: ProblemType(
        429, "queue-full", "Queue full", "Try again after the number of seconds in Retry-After."
    ),
    errors.NotReadyError: ProblemType(
        503, "not-ready", "Not ready", "Try again after the number of seconds in Retry-After, or try another instance."
    ),
    errors.DeadlineExceededError: ProblemType(
        503, "deadline-exceeded", "Deadline exceeded", "Try again after the number of seconds in Retry-After."
    ),
    errors.ClientGoneError: ProblemType(
        499, "client-gone", "Client gone", "This appears only in the log: the client has left."
    ),
    errors.InferenceError: ProblemType(
        500, "inference-failed", "Inference failed", "Report it with the response's X-Request-ID."
    ),
}

# RFC 6750, section 3
CHALLENGES: dict[type[errors.DenoiserError], str] = {
    errors.KeyMissingError: 'Bearer realm="denoiser"',
    errors.KeyUnknownError: 'Bearer realm="denoiser", error="invalid_token"',
    errors.ScopeMissingError: 'Bearer realm="denoiser", error="insufficient_scope"',
}

STATUS_PROBLEM_TYPES = {
    400: ProblemType(400, "bad-request", "Malformed request", "Check how the request is built."),
    404: NOT_FOUND,
    405: ProblemType(405, "method-not-allowed", "Method not allowed", "The header Allow lists the allowed methods."),
}

HEADERS_TOO_LARGE = ProblemType(
    431, "headers-too-large", "Headers too large", "Send shorter headers, trailers and chunk extensions."
)
TOO_MANY_CONNECTIONS = ProblemType(
    503,
    "too-many-connections",
    "Too many connections",
    "Try again after the seconds that Retry-After names, over fewer connections; or raise DENOISER_MAX_CONNECTIONS.",
)

ALL_PROBLEM_TYPES = {
    kind.slug: kind
    for kind in (
        *PROBLEM_TYPES.values(),
        *STATUS_PROBLEM_TYPES.values(),
        HEADERS_TOO_LARGE,
        TOO_MANY_CONNECTIONS,
        INTERNAL_ERROR,
    )
}


def add_error_handlers(app: FastAPI) -> None:
    """Turn every error that the routes or the framework raise into a problem."""
    # Starlette types handlers as taking Exception, but calls each with the class that it was registered for
    app.add_exception_handler(errors.DenoiserError, _handle_denoiser_error)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _handle_validation_error)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _answer_http_exception)  # type: ignore[arg-type]


async def answer_internal_error(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer an uncaught exception without its text, which is only in the log."""
    response = _answer(scope, INTERNAL_ERROR, INTERNAL_DETAIL)
    await response(scope, receive, send)


def describe_problem(error: Exception) -> Problem:
    """Build the problem details of an error for a response with other content, and log what is no fault of the request.

    The text of an exception that the service did not raise on purpose is left out.
    """
    if isinstance(error, errors.RequestError):
        return _problem(PROBLEM_TYPES[type(error)], str(error), **_extensions(error))
    logger.error("request failed", exc_info=error)
    if isinstance(error, errors.DenoiserError):
        return _problem(PROBLEM_TYPES[type(error)], str(error))
    return _problem(INTERNAL_ERROR, INTERNAL_DETAIL)


def problem_response(
    kind: ProblemType, detail: str, *, headers: dict[str, str] | None = None, **extensions: object
) -> Response:
    """Build a response with problem details (RFC 9457)."""
    body = _problem_json(kind, detail, **extensions)
    return Response(body, status_code=kind.status, headers=headers, media_type=MEDIA_TYPE)


@lru_cache(maxsize=64)  # an overloaded service sends the same problem again and again
def _problem_json(kind: ProblemType, detail: str, **extensions: object) -> str:
    return _problem(kind, detail, **extensions).model_dump_json()


def _problem(kind: ProblemType, detail: str, **extensions: object) -> Problem:
    return Problem(type=f"/problems/{kind.slug}", title=kind.title, status=kind.status, detail=detail, **extensions)


def _extensions(error: errors.RequestError) -> dict[str, object]:
    names = tuple(error.names) if error.names is not None else None
    return {"limit": error.limit, "names": names, "parameter": error.parameter}


def _answer(
    scope: Scope, kind: ProblemType, detail: str, *, headers: dict[str, str] | None = None, **extensions: object
) -> Response:
    """Build a response with problem details, and name the problem in the request's log record.

    Clients of the Open Inference Protocol look for a member ``error``.
    """
    if str(scope.get("path", "")).startswith(INFERENCE_PATH):
        extensions["error"] = detail
    add_to_record(scope, problem=kind.slug)
    return problem_response(kind, detail, headers=headers, **extensions)


def answer_denoiser_error(scope: Scope, error: errors.DenoiserError) -> Response:
    """Build the response that the table prescribes, and log what is no fault of the request."""
    kind = PROBLEM_TYPES[type(error)]
    if not isinstance(error, errors.RequestError):
        logger.error("request failed", exc_info=error)
        return _answer(scope, kind, str(error))
    headers = {"Retry-After": str(error.retry_after_s)} if error.retry_after_s is not None else {}
    if challenge := CHALLENGES.get(type(error)):
        headers["WWW-Authenticate"] = challenge
    return _answer(scope, kind, str(error), headers=headers, **_extensions(error))


async def _handle_denoiser_error(request: Request, error: errors.DenoiserError) -> Response:
    return answer_denoiser_error(request.scope, error)


async def _handle_validation_error(request: Request, error: RequestValidationError) -> Response:
    """Answer with the first parameter that is wrong."""
    first = error.errors()[0]
    return answer_denoiser_error(request.scope, invalid_parameter(str(first["loc"][1]), first))


async def _answer_http_exception(request: Request, error: HTTPException) -> Response:
    status = error.status_code
    unknown = ProblemType(status, f"http-{status}", HTTPStatus(status).phrase, "")
    kind = STATUS_PROBLEM_TYPES.get(status, unknown)
    path = request.url.path[:MAX_ECHO]
    details = {
        404: f"There is nothing at {path}.",
        405: f"{path} does not take {request.method}.",
    }
    detail = details.get(status, str(error.detail))
    return _answer(request.scope, kind, detail, headers=dict(error.headers or {}))
