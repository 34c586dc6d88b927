"""Read the pictures that a request carries, as its body or as the files of a form, into memory."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.types import Receive

from app.errors import MAX_ECHO, ClientGoneError, InvalidParameterError, NoImageError, TooManyFilesError
from app.processing.picture import Upload
from app.web.requests.multipart import MultipartError, Part, find_boundary, split_form
from app.web.requests.query import Fields

FILE, FILES = "file", "files"  # names of the form's parts: with one picture, with many
MAX_OTHER_PARTS = 16
MAX_FIELD_BYTES = 200  # of the value of a parameter


async def read_upload(request: Request) -> tuple[Upload, Fields]:
    """Read the picture that a request carries, in the part ``file`` of a form or as the body itself.

    The other parts of the form are returned as fields.

    Raises:
        NoImageError: the body is empty, or is a form without exactly one file in the part ``file``.
        InvalidParameterError: another part is a file, or has more than MAX_FIELD_BYTES.
        UploadTooLargeError, QueueFullError: see app.web.middleware.body_limit.
        ClientGoneError: the client left before it had sent everything.
    """
    body = await read_body(request.receive)
    content_type = request.headers.get("content-type", "")
    is_form = content_type.lower().startswith("multipart/form-data")
    upload, fields = _read_form(body, content_type) if is_form else (Upload(body, None), ())
    if not upload.data:
        raise NoImageError("The picture is empty: the body of the request, or the file in it, has no bytes.")
    return upload, fields


async def read_uploads(request: Request, *, max_files: int) -> tuple[list[Upload], Fields]:
    """Read the files in the parts ``files`` of a form, in their order, as views of the body; and the other parts.

    Raises:
        NoImageError: the body is no form, or has no file in a part ``files``.
        TooManyFilesError: the form has more than ``max_files`` files.
        InvalidParameterError: another part is a file, or has more than MAX_FIELD_BYTES.
        UploadTooLargeError, QueueFullError: see app.web.middleware.body_limit.
        ClientGoneError: the client left before it had sent everything.
    """
    body = await read_body(request.receive)
    try:
        files, others = _sort(body, request.headers.get("content-type", ""), FILES, max_files=max_files)
    except MultipartError as error:
        raise NoImageError(
            f"The files cannot be read: {error} With curl, write -F {FILES}=@PICTURE for each file."
        ) from error
    # A file picker in which nothing was chosen sends a part without a name and content.
    uploads = [Upload(file.content, file.filename) for file in files if file.filename or file.content]
    if not uploads:
        raise _no_file(FILES, others)
    return uploads, _read_fields(others)


async def read_body(receive: Receive) -> bytes:
    """Read the whole body, most often one message, in a third of the time that Request.body takes."""
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError("The client closed the connection before its upload was complete.")
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _read_form(body: bytes, content_type: str) -> tuple[Upload, Fields]:
    try:
        files, others = _sort(body, content_type, FILE, max_files=MAX_OTHER_PARTS)
    except (MultipartError, TooManyFilesError) as error:
        raise NoImageError(f"The multipart body cannot be read: {error}") from error
    if not files:
        raise _no_file(FILE, others)
    if (count := len(files) + [part.name for part in others].count(FILE)) > 1:
        raise NoImageError(f"The form has {count} parts named {FILE!r}; send one picture per request.")
    return Upload(bytes(files[0].content), files[0].filename), _read_fields(others)


def _sort(body: bytes, content_type: str, name: str, *, max_files: int) -> tuple[list[Part], list[Part]]:
    """Return the files in the parts ``name``, and all other parts."""
    files: list[Part] = []
    others: list[Part] = []
    for part in split_form(body, find_boundary(content_type)):
        (files if part.name == name and part.filename is not None else others).append(part)
        if len(files) > max_files:
            raise TooManyFilesError(
                f"The request has more files than the limit; at most {max_files} are accepted.", limit=max_files
            )
        if len(others) > MAX_OTHER_PARTS:
            raise MultipartError(f"It has too many parts that are not files named {name!r}.")
    return files, others


def _read_fields(parts: Sequence[Part]) -> Fields:
    """Return the names and texts of parts; whether they are known is checked with the query."""
    for part in parts:
        name = part.name[:MAX_ECHO]
        if part.filename is not None:
            raise InvalidParameterError(f"The part {name!r} is a file; no other file is expected.", parameter=name)
        if len(part.content) > MAX_FIELD_BYTES:
            raise InvalidParameterError(
                f"{name} has {len(part.content)} bytes; at most {MAX_FIELD_BYTES} are accepted.",
                parameter=name, limit=MAX_FIELD_BYTES,
            )  # fmt: skip
    return tuple((part.name, bytes(part.content).decode(errors="replace")) for part in parts)


def _no_file(name: str, others: Sequence[Part]) -> NoImageError:
    found = {part.name for part in others}
    if name in found:
        return NoImageError(f"The part {name!r} is text, not a file; with curl, write -F {name}=@PICTURE.")
    names = ", ".join(sorted(found))[:MAX_ECHO] or "none"
    return NoImageError(f"The form has no file in a part named {name!r}; its parts: {names}.")
