"""Take the image out of a request: the part ``file`` of a form, or the body itself."""

import re
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from app.errors import MAX_ECHO, ClientGoneError, NoImageError, QueueFullError

PART = "file"
MAX_SMALL_FORM = 64 * 1024  # bytes that are read as a whole first
MAX_PARTS = 16  # of each kind; one is wanted
RETRY_AFTER_S = 1
FORM = re.compile(r'multipart/form-data; *boundary="?([^",;\s]+)"?', re.IGNORECASE)
PART_HEAD = re.compile(
    rb'--(\S+)\r\n(?i:content-disposition): form-data; name="file"; filename="([^"\\\r\n]+)"\r\n'
    rb"(?:(?i:content-type): [^\r\n]*\r\n)?\r\n"
)


@dataclass(frozen=True)
class Upload:
    """The bytes that were sent, and the file name if the client gave one."""

    data: bytes
    filename: str | None


async def read_upload(request: Request) -> Upload:
    """Read the image that a request carries.

    Raises:
        NoImageError: the body is empty, or it is a form without exactly one file in the part ``file``.
        UploadTooLargeError, QueueFullError: see app.web.middleware.body_limit; the latter also where
            temporary files find no room.
        ClientGoneError: the client left before it had sent everything.
    """
    try:
        if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
            upload = await _read_part(request)
        else:
            upload = Upload(await _read_body(request.receive), None)
    except ClientDisconnect as error:
        msg = "The client closed the connection before its upload was complete."
        raise ClientGoneError(msg) from error
    except OSError as error:  # Starlette keeps parts above 1 MiB in temporary files
        msg = "There is no room for another upload now."
        raise QueueFullError(msg, retry_after_s=RETRY_AFTER_S) from error
    if not upload.data:
        msg = "The request has no image: its body, or the file in it, is empty."
        raise NoImageError(msg)
    return upload


async def _read_body(receive: Receive) -> bytes:
    """Read it all, as Request.body does in three times the time; most bodies come in one message."""
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _read_part(request: Request) -> Upload:
    if int(request.headers.get("content-length", MAX_SMALL_FORM + 1)) <= MAX_SMALL_FORM:
        upload = parse_single_part(await request.body(), request.headers["content-type"])
        if upload is not None:
            return upload
    try:
        async with request.form(max_files=MAX_PARTS, max_fields=MAX_PARTS) as form:
            match form.getlist(PART):
                case [UploadFile() as part]:
                    return Upload(await part.read(), part.filename)
                case [str()]:
                    msg = f"The part {PART!r} is text, not a file; with curl, write -F {PART}=@PICTURE."
                case []:
                    names = ", ".join(sorted(form))[:MAX_ECHO] or "none, or the last one is incomplete"
                    msg = f"The form has no file in a part named {PART!r}; its parts: {names}."
                case parts:
                    msg = f"The form has {len(parts)} parts named {PART!r}; send one picture a request."
    except (HTTPException, UnicodeError) as error:
        msg = f"The multipart body cannot be read: {getattr(error, 'detail', 'its charset is not known')}"
        raise NoImageError(msg) from error
    raise NoImageError(msg)


def parse_single_part(body: bytes, content_type: str) -> Upload | None:
    """Read a form as browsers and curl send it (RFC 7578) if all that it has is a file; None: there may be more to it.

    The general parser takes ten times as long, most of it for the temporary file that it gives to each part.
    """
    form, head = FORM.fullmatch(content_type), PART_HEAD.match(body)
    if form is None or head is None or form[1].encode("latin-1") != head[1]:
        return None
    delimiter = b"\r\n--" + head[1]
    end = body.find(delimiter, head.end())
    if end < 0 or body[end + len(delimiter) :] not in (b"--", b"--\r\n"):
        return None
    try:
        return Upload(body[head.end() : end], head[2].decode())
    except UnicodeDecodeError:
        return None
