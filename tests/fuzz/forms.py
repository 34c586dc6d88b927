"""Split what Atheris makes of forms: ``python -m tests.fuzz.forms CORPUS`` (libFuzzer's options follow).

The first line of an input is its Content-Type, the rest the body. What is read must be in the body, and be read again
from a form that is written of it.
"""

import sys

import atheris

with atheris.instrument_imports(include=["app", "python_multipart"]):
    from app.web.requests.multipart import MAX_HEADER_BYTES, MultipartError, Part, find_boundary, split_form

NEW_BOUNDARY = b"a boundary that no input has"


def fuzz(data: bytes) -> None:
    """Split a form, and the form that is written of its parts."""
    content_type, _, body = data.partition(b"\n")
    parts: list[Part] = []
    try:
        boundary = find_boundary(content_type.decode("latin-1"))
        parts += split_form(body, boundary)
    except MultipartError:
        return
    finally:
        _check(parts, body)
    if NEW_BOUNDARY in body:
        return
    contents = [bytes(part.content) for part in parts]
    if [bytes(part.content) for part in split_form(_write(contents), NEW_BOUNDARY)] != contents:
        raise AssertionError("the parts are not what was written")


def _check(parts: list[Part], body: bytes) -> None:
    for part in parts:
        if bytes(part.content) not in body:
            raise AssertionError(f"{part} is not in the body")
        if len(part.name) + len(part.filename or "") > MAX_HEADER_BYTES:
            raise AssertionError("names longer than a header")


def _write(contents: list[bytes]) -> bytes:
    head = b'--%b\r\nContent-Disposition: form-data; name="n"\r\n\r\n' % NEW_BOUNDARY
    return b"".join(head + content + b"\r\n" for content in contents) + b"--%b--" % NEW_BOUNDARY


if __name__ == "__main__":
    atheris.Setup(sys.argv, fuzz)
    atheris.Fuzz()
