"""What can go wrong with a call.

::

    DenoiserError
    ├── ConnectionFailedError     there was no response
    ├── NoDenoiserError           the response is not one of a denoiser
    └── ProblemError              the service says what is wrong (RFC 9457)
        ├── RequestError          the picture or an option cannot be used
        ├── AccessError           the key is missing, unknown, or not for this
        ├── BusyError             the service is busy or not ready, also after all tries
        └── ServerError           the service failed
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import httpx2 as httpx


class DenoiserError(Exception):
    """Base of all errors of this package."""


class ConnectionFailedError(DenoiserError):
    """There was no response: the service cannot be reached, or the connection broke.

    Attributes:
        reason: why, in the words of the operating system if it has any.
    """

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"no response from {url}: {reason}")
        self.reason = reason


class NoDenoiserError(DenoiserError):
    """The response is not one of a denoiser.

    Attributes:
        status: that of the response.
    """

    def __init__(self, url: str, status: int) -> None:
        super().__init__(f"{url} answered with status {status}, but not as a denoiser does")
        self.status = status


class ProblemError(DenoiserError):
    """The service refused the request, or failed; the text is the problem's detail.

    Attributes:
        type: path of the page of the service that explains this kind of problem.
        title: the kind of problem.
        status: that of the response.
        detail: what is wrong.
        limit: the limit that was exceeded, if any.
        names: the names that would have worked, if any.
        parameter: the parameter that is wrong, if any.
        request_id: under which the log of the service has the request.
    """

    def __init__(self, problem: Mapping[str, Any], *, request_id: str | None = None) -> None:
        super().__init__(problem["detail"])
        self.type: str = problem["type"]
        self.title: str = problem["title"]
        self.status: int = problem["status"]
        self.detail: str = problem["detail"]
        self.limit: int | None = problem.get("limit")
        self.names: list[str] | None = problem.get("names")
        self.parameter: str | None = problem.get("parameter")
        self.request_id = request_id


class RequestError(ProblemError):
    """The picture or an option cannot be used."""


class AccessError(ProblemError):
    """The key is missing, unknown, or not for this."""


class BusyError(ProblemError):
    """The service is busy or not ready, also after all tries."""


class ServerError(ProblemError):
    """The service failed."""


BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
DENIED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


def error_of(response: httpx.Response) -> DenoiserError:
    """Return the error for a response that is no success."""
    try:
        problem = response.json()
        return _kind(response.status_code)(problem, request_id=response.headers.get("X-Request-ID"))
    except (ValueError, KeyError, TypeError):
        return NoDenoiserError(_address(response), response.status_code)


def _kind(status: int) -> type[ProblemError]:
    if status in BUSY:
        return BusyError
    if status in DENIED:
        return AccessError
    return RequestError if status < HTTPStatus.INTERNAL_SERVER_ERROR else ServerError


def connection_failed(error: httpx.TransportError) -> ConnectionFailedError:
    """Return the error for a request without a response."""
    cause: BaseException = error
    while (deeper := cause.__cause__ or cause.__context__) is not None:
        cause = deeper
    reason = getattr(cause, "strerror", None) or str(error) or type(error).__name__
    return ConnectionFailedError(_address(error), reason)


def _address(answered: httpx.Response | httpx.TransportError) -> str:
    return str(answered.request.url.copy_with(path="/", query=None, userinfo=b"")).rstrip("/")
