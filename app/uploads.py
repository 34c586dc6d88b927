"""Take the image out of a request: the part ``file`` of a form, or the body itself."""

from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from app.errors import MAX_ECHO, ClientGoneError, NoImageError, QueueFullError

PART = "file"
MAX_PARTS = 16  # of each kind; one is wanted
RETRY_AFTER_S = 1


@dataclass(frozen=True)
class Upload:
    """The bytes that were sent, and the file name if the client gave one."""

    data: bytes
    filename: str | None


async def read_upload(request: Request) -> Upload:
    """Read the image that a request carries.

    Raises:
        NoImageError: the body is empty, or it is a form without exactly one file in the part ``file``.
        UploadTooLargeError, QueueFullError: see app.body_limit; the latter also where temporary files find no room.
        ClientGoneError: the client left before it had sent everything.
    """
    try:
        if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
            upload = await _read_part(request)
        else:
            upload = Upload(await request.body(), None)
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


async def _read_part(request: Request) -> Upload:
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
