"""Parts of well-formed and malformed forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.requests.multipart import MultipartError, find_boundary, split_form


def parts(body: bytes) -> list[tuple[str, str | None, bytes]]:
    return [(part.name, part.filename, bytes(part.content)) for part in split_form(body, b"XX")]


def test_parts_are_yielded_in_order_with_names_and_contents() -> None:
    body = (
        b'--XX\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
        b"one\r\n--XX\r\ncontent-disposition:form-data; name=text\r\n\r\ntwo\r\n--XX--\r\n"
    )
    assert parts(body) == [("files", "a.png", b"one"), ("text", None, b"two")]


def test_a_content_may_be_empty_or_hold_line_breaks_and_dashes() -> None:
    contents = [b"", b"\r\n\r\n--X\r\n", b"x--XX", b"\r\n--"]
    head = b'\r\nContent-Disposition: form-data; name="files"; filename=""\r\n\r\n'
    body = b"--XX" + b"\r\n--XX".join(head + content for content in contents) + b"\r\n--XX--"
    assert [content for _, _, content in parts(body)] == contents


def test_bytes_before_and_after_the_parts_are_left_out() -> None:
    body = (
        b'a preamble\r\n--XX \t\r\nContent-Disposition: form-data; name="n"\r\n\r\nx\r\n--XX--\r\nan epilogue\r\n--XX'
    )
    assert parts(body) == [("n", None, b"x")]


def test_a_form_can_be_empty() -> None:
    assert parts(b"--XX--\r\n") == []


def test_names_are_utf_8_or_else_latin_1() -> None:
    body = '--XX\r\nContent-Disposition: form-data; name="files"; filename="ä.png"\r\n\r\n\r\n--XX--'.encode()
    assert parts(body)[0][1] == "ä.png"
    assert parts(body.replace("ä".encode(), b"\xff"))[0][1] == "ÿ.png"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no boundary",
        b"--XX",
        b"--XX\r\n",
        b'--XX\r\nContent-Disposition: form-data; name="n"\r\n\r\ntruncated',
        b'--XX\r\nContent-Disposition: form-data; name="n"\r\n--XX--',
        b"--XX\r\nContent-Type: image/png\r\n\r\nx\r\n--XX--",
        b"--XX\r\nContent-Disposition: form-data; filename=a\r\n\r\nx\r\n--XX--",
        b"--XX\r\nX: " + b"x" * 20_000 + b'\r\nContent-Disposition: form-data; name="n"\r\n\r\nx\r\n--XX--',
    ],
)
def test_a_malformed_body_is_an_error(body: bytes) -> None:
    with pytest.raises(MultipartError):
        parts(body)


# In a quoted string, browsers escape quotes, and controls are not allowed (RFC 7578, section 4.2; RFC 9110, 5.6.4).
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters='"\\'), max_size=20)
CONTENTS = st.binary(max_size=100) | st.lists(st.sampled_from([b"\r\n", b"--", b"X", b":", b"a"]), max_size=20).map(
    b"".join
)
FORMS = st.lists(
    st.tuples(NAMES, st.none() | NAMES, CONTENTS.filter(lambda content: b"\r\n--XX" not in content)), max_size=5
)


def write_form(written: list[tuple[str, str | None, bytes]]) -> bytes:
    body = b""
    for name, filename, content in written:
        head = f'--XX\r\nContent-Disposition: form-data; name="{name}"'
        head += "" if filename is None else f'; filename="{filename}"'
        body += head.encode() + b"\r\n\r\n" + content + b"\r\n"
    return body + b"--XX--\r\n"


@given(FORMS)
def test_a_form_that_was_written_is_read_as_it_was(written: list[tuple[str, str | None, bytes]]) -> None:
    assert parts(write_form(written)) == written


@given(FORMS, st.data())
def test_a_form_that_was_cut_off_is_never_read_whole(
    written: list[tuple[str, str | None, bytes]], data: st.DataObject
) -> None:
    body = write_form(written)[: -len(b"--\r\n")]
    with pytest.raises(MultipartError):
        parts(body[: data.draw(st.integers(0, len(body)), label="length")])


def test_a_boundary_may_be_quoted() -> None:
    assert find_boundary('Multipart/Form-Data; charset=utf-8; boundary="a b"') == b"a b"


@pytest.mark.parametrize("content_type", ["", "image/png", "multipart/mixed; boundary=x", "multipart/form-data", "ü"])
def test_another_content_type_has_no_boundary(content_type: str) -> None:
    with pytest.raises(MultipartError):
        find_boundary(content_type)
