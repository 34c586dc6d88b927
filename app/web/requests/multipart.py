"""Split a multipart/form-data body that is in memory into its parts, without copies or temporary files."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from python_multipart.multipart import parse_options_header

HEADER_END = b"\r\n\r\n"
MAX_HEADER_BYTES = 16 * 1024  # for each part


class MultipartError(ValueError):
    """The body is not multipart/form-data (RFC 7578); the text is safe to show."""


@dataclass(frozen=True)
class Part:
    """One part of a form; ``filename`` is None if the part is text, and ``content`` is a view of the body."""

    name: str
    filename: str | None
    content: memoryview


@lru_cache(maxsize=16)  # parsing takes as long as finding a small part; browsers change boundaries
def find_boundary(content_type: str) -> bytes:
    """Read the boundary from a Content-Type.

    Raises:
        MultipartError: it is not ``multipart/form-data``, or has no boundary.
    """
    kind, options = parse_options_header(content_type.encode("latin-1", "replace"))
    if kind != b"multipart/form-data":
        raise MultipartError("The body is not multipart/form-data.")
    if not (boundary := options.get(b"boundary")):
        raise MultipartError("The Content-Type has no boundary.")
    return boundary


def split_form(body: bytes | bytearray, boundary: bytes) -> Iterator[Part]:
    """Yield the parts of a body in their order (RFC 2046, section 5.1.1).

    Searching the whole body for its delimiter takes a tenth of the time of streaming parsers, which go through the
    headers byte by byte.

    Raises:
        MultipartError: the body is malformed, or ends before its last delimiter.
    """
    delimiter = b"\r\n--" + boundary
    start = -2 if body.startswith(delimiter[2:]) else body.find(delimiter)  # a first line has no line break before it
    if start < -2 or (start == -1):
        raise MultipartError("The body does not contain its boundary.")
    view = memoryview(body)
    while not body.startswith(b"--", start + len(delimiter)):
        head = body.find(b"\r\n", start + len(delimiter))  # spaces may follow a boundary
        end = body.find(delimiter, max(head, 0))
        if head == -1 or end == -1:
            raise MultipartError("The body ends before its last boundary.")
        yield _part(body, view, head, end)
        start = end


def _part(body: bytes | bytearray, view: memoryview, head: int, end: int) -> Part:
    """Read the part whose headers start with the line break at ``head``, and whose content ends at ``end``."""
    break_at = body.find(HEADER_END, head, min(end, head + MAX_HEADER_BYTES))
    if break_at == -1:
        raise MultipartError("The headers of a part do not end.")
    for line in bytes(view[head + 2 : break_at]).split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-disposition":
            _, options = parse_options_header(value)
            if b"name" in options:
                filename = options.get(b"filename")
                return Part(
                    _decode(options[b"name"]),
                    None if filename is None else _decode(filename),
                    view[break_at + len(HEADER_END) : end],
                )
    raise MultipartError("A part has no name in its Content-Disposition.")


def _decode(name: bytes) -> str:
    """Decode UTF-8, which browsers send; anything else as Latin-1, which accepts any bytes."""
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode("latin-1")
