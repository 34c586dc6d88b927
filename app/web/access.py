"""What a path needs of a key, the secret in a request, and the caller behind it."""

from collections.abc import Iterable

from starlette.types import Scope

from app.access import key_file
from app.access.keyring import Caller

CALLER = "denoiser.caller"  # key in the scope of a request that came with a key

OPEN_PATHS = frozenset({"/", "/docs", "/openapi.json", "/livez", "/readyz"})
OPEN_FOLDERS = ("/docs/", "/static/", "/problems/")
METRICS_PATH = "/metrics"


def required_scope(path: str) -> key_file.Scope | None:
    """Return what a key must be for to call a path; None for probes, pages and the description of the API.

    Whatever is not named here needs a key, so that a new route is not open by oversight.
    """
    if path in OPEN_PATHS or path.startswith(OPEN_FOLDERS):
        return None
    return "metrics" if path == METRICS_PATH else "denoise"


def find_secret(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """Return the secret in ``X-API-Key``, or else in ``Authorization: Bearer`` (RFC 6750, section 2.1)."""
    bearer = None
    for name, value in headers:
        if name == b"x-api-key":
            return value
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            bearer = value[7:].strip()
    return bearer


def caller_of(scope: Scope) -> Caller | None:
    """Return who sent a request, or None where keys are off."""
    caller: Caller | None = scope.get(CALLER)
    return caller
