"""What both clients send, when they send it again, and how they read the response."""

import email.utils
import random
import time
from typing import Any, TypedDict, Unpack

import httpx2 as httpx

from denoiser_client.errors import BUSY, NoDenoiserError, connection_failed, error_of
from denoiser_client.options import Options, to_query

TRIES = 5
BROKEN_TRIES = 3  # of them, when connections break; sending a picture twice does no harm
BROKEN_WAIT_S = 0.2
MAX_WAIT_S = 60.0
WAIT_S = 1.0  # if a busy service does not say how long
IN_FLIGHT = 8
TIMEOUT = httpx.Timeout(120, connect=5)


class Call(TypedDict):
    """The arguments of a request."""

    method: str
    url: str
    params: dict[str, str]
    headers: dict[str, str]
    content: bytes


def http_options(url: str, key: str | None, timeout_s: float | None, proxy: str | None) -> dict[str, Any]:
    """Return the arguments for a client of httpx.

    Raises:
        ValueError: the address is not one of HTTP.
    """
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"{url}: the address of a service starts with http:// or https://")
    return {
        "base_url": url.rstrip("/"),
        "headers": {"User-Agent": "denoiser-client"} | ({} if key is None else {"X-API-Key": key}),
        "timeout": TIMEOUT if timeout_s is None else httpx.Timeout(timeout_s, connect=min(timeout_s, 5)),
        "limits": httpx.Limits(max_connections=None),  # those in flight are limited
        "proxy": proxy,
        "trust_env": False,
    }


def denoise_call(content: bytes, **options: Unpack[Options]) -> Call:
    """Return the request for one picture."""
    headers = {"Accept": "image/*", "Content-Type": "application/octet-stream"}
    return Call(method="POST", url="/v1/denoise", params=to_query(options), headers=headers, content=content)


MODELS_CALL = Call(method="GET", url="/v1/models", params={}, headers={"Accept": "application/json"}, content=b"")

Reply = httpx.Response | httpx.TransportError


class Attempts:
    """Counts the attempts of one request, at most ``tries``.

    A busy service is left alone for as long as it asks, and then for up to as long again after each attempt: requests
    that were refused together do not come back together.
    """

    def __init__(self, tries: int) -> None:
        self._tries = tries
        self._made = 0
        self._broken = 0

    def wait_after(self, reply: Reply) -> float | None:
        """Return the seconds to wait before the next attempt, or None if there is none."""
        self._made += 1
        if self._made == self._tries:
            return None
        if isinstance(reply, httpx.TransportError):
            self._broken += 1
            return BROKEN_WAIT_S if self._broken < BROKEN_TRIES else None
        if reply.status_code in BUSY:
            asked_s = retry_after_s(reply.headers.get("Retry-After", ""))
            return min(asked_s * random.uniform(1, 1 + self._made), MAX_WAIT_S)  # noqa: S311  no secret
        return None


def retry_after_s(value: str) -> float:
    """Return the seconds of Retry-After (RFC 9110, section 10.2.3), a number or a date, at most MAX_WAIT_S."""
    if value.isdecimal():
        return min(float(value), MAX_WAIT_S)
    try:
        return min(max(email.utils.parsedate_to_datetime(value).timestamp() - time.time(), 0), MAX_WAIT_S)
    except ValueError:
        return WAIT_S


def check(reply: Reply) -> httpx.Response:
    """Return a successful response.

    Raises:
        DenoiserError: it is none.
    """
    if isinstance(reply, httpx.TransportError):
        raise connection_failed(reply) from reply
    if not reply.is_success:
        raise error_of(reply)
    return reply


def read_models(response: httpx.Response) -> dict[str, Any]:
    """Read the list of models.

    Raises:
        NoDenoiserError: the response is not one of a denoiser.
    """
    try:
        models = response.json()
    except ValueError:
        models = None
    if not isinstance(models, dict) or "models" not in models:
        raise NoDenoiserError(str(response.request.url.host), response.status_code)
    return models
