"""Forms with one small file, which are cut out of the body; all else about uploads is tested through the service."""

import pytest

from app.web.requests.uploads import Upload, parse_single_part

TYPE = "multipart/form-data; boundary=edge"
PART = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'


@pytest.mark.parametrize(
    ("content_type", "body", "filename"),
    [
        (TYPE, PART + b"\x89PNG\r\n\x1a\n\r\n--edge--\r\n", "a.png"),
        ('multipart/form-data;boundary="edge"', PART + b"\x89PNG\r\n\x1a\n\r\n--edge--", "a.png"),
        (
            TYPE,
            b'--edge\r\ncontent-disposition: form-data; name="file"; filename="\xc3\xa4.png"\r\n\r\n'
            b"\x89PNG\r\n\x1a\n\r\n--edge--\r\n",
            "ä.png",
        ),
    ],
    ids=["as curl sends it", "quoted boundary", "no type of its own"],
)
def test_a_form_with_one_file_is_read(content_type: str, body: bytes, filename: str) -> None:
    assert parse_single_part(body, content_type) == Upload(b"\x89PNG\r\n\x1a\n", filename)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (TYPE, PART + b"data\r\n" + PART + b"data\r\n--edge--\r\n"),
        (TYPE, PART + b"data\r\n--edge\r\n"),
        (TYPE, PART + b"data"),
        (TYPE, PART.replace(b'"file"', b'"FILE"') + b"data\r\n--edge--\r\n"),
        (TYPE, PART.replace(b'; filename="a.png"', b"") + b"data\r\n--edge--\r\n"),
        (TYPE, PART.replace(b"a.png", b"a\\b.png") + b"data\r\n--edge--\r\n"),
        (TYPE, PART.replace(b"a.png", b"\xff.png") + b"data\r\n--edge--\r\n"),
        (TYPE, b"preamble\r\n" + PART + b"data\r\n--edge--\r\n"),
        (TYPE + "; charset=latin-1", PART + b"data\r\n--edge--\r\n"),
        ("multipart/form-data; boundary=other", PART + b"data\r\n--edge--\r\n"),
        ("multipart/form-data", PART + b"data\r\n--edge--\r\n"),
    ],
    ids=[
        "two files", "no end", "cut off", "another name", "a text", "a backslash", "latin name", "preamble", "charset",
        "another boundary", "no boundary",
    ],
)  # fmt: skip
def test_any_other_form_is_left_to_the_general_parser(content_type: str, body: bytes) -> None:
    assert parse_single_part(body, content_type) is None
