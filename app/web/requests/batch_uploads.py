"""Take the files out of a request: the parts ``files`` of a form, all in memory, whose bytes are bounded."""

from fastapi import Request
from starlette.requests import ClientDisconnect

from app.errors import MAX_ECHO, ClientGoneError, NoImageError, TooManyFilesError
from app.web.requests.multipart import MultipartError, Part, find_boundary, split_form

PART = "files"
MAX_OTHER_PARTS = 16


async def read_files(request: Request, *, max_files: int) -> list[Part]:
    """Read the files that a request carries, in their order.

    Raises:
        NoImageError: the body is no form, or it has no file in a part ``files``.
        TooManyFilesError: it has more than ``max_files``.
        UploadTooLargeError, QueueFullError: see app.web.middleware.body_limit.
        ClientGoneError: the client left before it had sent everything.
    """
    body = bytearray()
    try:
        boundary = find_boundary(request.headers.get("content-type", ""))
        async for chunk in request.stream():
            body += chunk
        files, others = _sort(body, boundary, max_files)
    except ClientDisconnect as error:
        msg = "The client closed the connection before its upload was complete."
        raise ClientGoneError(msg) from error
    except MultipartError as error:
        msg = f"The files cannot be read: {error} With curl, write -F {PART}=@PICTURE for each of them."
        raise NoImageError(msg) from error
    if not files:
        names = ", ".join(sorted(others))[:MAX_ECHO] or "none"
        msg = f"The form has no file in a part named {PART!r}; its other parts: {names}."
        if PART in others:
            msg = f"The part {PART!r} is text, not a file; with curl, write -F {PART}=@PICTURE."
        raise NoImageError(msg)
    return files


def _sort(body: bytearray, boundary: bytes, max_files: int) -> tuple[list[Part], list[str]]:
    """Divide the files from the names of all other parts; a picker in which nothing was chosen sends a nameless one."""
    files: list[Part] = []
    others: list[str] = []
    for part in split_form(body, boundary):
        if part.name != PART or part.filename is None or not (part.filename or part.content):
            others.append(part.name)
        else:
            files.append(part)
        if len(files) > max_files:
            msg = f"The request has more files than the limit; at most {max_files} are accepted."
            raise TooManyFilesError(msg, limit=max_files)
        if len(others) > MAX_OTHER_PARTS:
            msg = f"There are too many parts that are not files named {PART!r}."
            raise MultipartError(msg)
    return files, others
