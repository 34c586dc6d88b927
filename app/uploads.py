"""Take the image out of a request: the part ``file`` of a form, or the body itself."""

from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from app.errors import NoImageError

PART = "file"
MAX_PARTS = 16  # of each kind; one is wanted


@dataclass(frozen=True)
class Upload:
    """The bytes that were sent, and the file name if the client gave one."""

    data: bytes
    filename: str | None


async def read_upload(request: Request) -> Upload:
    """Read the image that a request carries.

    Raises:
        NoImageError: the body is empty, or it is a form without a file in the part ``file``.
        UploadTooLargeError: see app.body_limit.
    """
    if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        upload = await _read_part(request)
    else:
        upload = Upload(await request.body(), None)
    if not upload.data:
        msg = "The request has no image: its body, or the file in it, is empty."
        raise NoImageError(msg)
    return upload


async def _read_part(request: Request) -> Upload:
    try:
        async with request.form(max_files=MAX_PARTS, max_fields=MAX_PARTS) as form:
            part = form.get(PART)
            if isinstance(part, UploadFile):
                return Upload(await part.read(), part.filename)
            names = ", ".join(sorted(form)) or "none"
    except HTTPException as error:
        msg = f"The multipart body cannot be read: {error.detail}"
        raise NoImageError(msg) from error
    msg = f"The form has no file in a part named {PART!r}; its parts: {names}."
    if part is not None:
        msg = f"The part {PART!r} is text, not a file; with curl, write -F {PART}=@PICTURE."
    raise NoImageError(msg)
