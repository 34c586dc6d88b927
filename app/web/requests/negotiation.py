"""Choose the media type of a response, and the format of its pictures, by the request's Accept header."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from starlette.types import Scope

from app.errors import NotAcceptableError
from app.imaging.encode import MEDIA_TYPES, OutputFormat

JSON = "application/json"
OCTET_STREAM = "application/octet-stream"  # the same bytes, for clients that know no other type of binary data
IMAGE_TYPES = tuple(MEDIA_TYPES.values())  # the preferred first
FORMATS: Mapping[str, OutputFormat] = {media_type: name for name, media_type in MEDIA_TYPES.items()}
MAX_ACCEPT = 1000  # characters that are read; browsers send about a hundred

_PICTURE_TYPES = {None: (*IMAGE_TYPES, JSON, OCTET_STREAM)} | {
    name: (media_type, JSON, OCTET_STREAM) for name, media_type in MEDIA_TYPES.items()
}


def picture_types(asked: OutputFormat | None) -> Sequence[str]:
    """Return what the response to one picture can be, if the query asks for a format or for none."""
    return _PICTURE_TYPES[asked]


def accepted_media_type(scope: Scope, offered: Sequence[str]) -> str:
    """Return the offered media type that the client prefers.

    Raises:
        NotAcceptableError: it accepts none of them.
    """
    chosen = choose_media_type(_accept(scope), offered)
    if chosen is None:
        raise NotAcceptableError(
            f"The response can be {' or '.join(offered)}; the request accepts none of them.", names=offered
        )
    return chosen


def accepted_format(scope: Scope) -> OutputFormat:
    """Return the format that the client prefers for pictures inside another media type: PNG if it names none."""
    return FORMATS[choose_media_type(_accept(scope), IMAGE_TYPES) or IMAGE_TYPES[0]]


def _accept(scope: Scope) -> str:
    accept = b", ".join([value for name, value in scope["headers"] if name == b"accept"])
    return accept[:MAX_ACCEPT].decode("latin-1")


@lru_cache(maxsize=256)
def choose_media_type(accept: str, offered: Sequence[str]) -> str | None:
    """Choose by quality, then by the order of ``offered`` (RFC 9110, section 12.5.1).

    Args:
        accept: value of the Accept header; an empty one accepts everything.
        offered: media types, the preferred first.

    Returns:
        The chosen media type, or None if none is acceptable.
    """
    ranges = [_parse(part) for part in accept.split(",") if part.strip()] or [("*/*", 1.0)]
    qualities = {media_type: _quality(media_type, ranges) for media_type in offered}
    best = max(offered, key=lambda media_type: qualities[media_type])
    return best if qualities[best] > 0 else None


def _parse(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                quality = 0.0
    return name, quality if 0 <= quality <= 1 else 0.0  # NaN, which fails every comparison, too


def _quality(media_type: str, ranges: list[tuple[str, float]]) -> float:
    """Return the quality of the most specific range that matches, 0 if none does."""
    kind = media_type.partition("/")[0]
    for pattern in (media_type, f"{kind}/*", "*/*"):
        matching = [quality for name, quality in ranges if name == pattern]
        if matching:
            return max(matching)
    return 0.0
