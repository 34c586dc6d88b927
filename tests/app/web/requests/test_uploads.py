"""The pictures that a request carries, as its body or in a form, through the whole application."""

import numpy as np
import pytest
from fastapi.testclient import TestClient

from tests.app.pictures import decode, encode, ring

PICTURE = encode(ring())


@pytest.mark.parametrize("content_type", ["image/png", "text/plain", "application/x-www-form-urlencoded", "image/jpeg"])
def test_a_raw_body_is_read_whatever_its_content_type(client: TestClient, content_type: str) -> None:
    response = client.post("/v1/denoise", content=PICTURE, headers={"Content-Type": content_type})
    assert np.array_equal(decode(response.content), ring())


def test_a_form_with_a_file_returns_the_same_picture_as_the_raw_body(client: TestClient) -> None:
    response = client.post("/v1/denoise", files={"file": ("seven.jpeg", PICTURE, "image/png")})
    assert np.array_equal(decode(response.content), ring())


def test_an_empty_body_is_not_an_image(client: TestClient) -> None:
    response = client.post("/v1/denoise")
    assert response.status_code == 400
    assert response.json()["type"] == "/problems/no-image"


@pytest.mark.parametrize(
    ("form", "hint"),
    [
        ({"files": {"picture": ("a.png", b"x", "image/png")}}, "its parts: picture"),
        ({"files": {"file": (None, b"text")}}, "-F file=@"),
        ({"files": {"file": ("a.png", b"", "image/png")}}, "empty"),
        ({"files": [("file", ("a.png", b"x")), ("file", ("b.png", b"x"))]}, "2 parts"),
        ({"content": b"nonsense", "headers": {"Content-Type": "multipart/form-data"}}, "multipart"),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=x; charset=nope"}}, "multipart"),
        ({"content": b"nonsense", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, "multipart"),
    ],
    ids=["other part", "text part", "empty file", "two files", "no boundary", "unknown charset", "no parts"],
)
def test_a_form_without_a_picture_says_what_is_missing(
    client: TestClient, form: dict[str, dict[str, str]], hint: str
) -> None:
    response = client.post("/v1/denoise", **form)  # type: ignore[arg-type]
    assert response.status_code == 400
    assert hint in response.json()["detail"]


@pytest.mark.parametrize(
    ("content_type", "body", "words"),
    [
        ("image/png", PICTURE, "not multipart/form-data"),
        ("multipart/form-data", b"", "no boundary"),
        ("multipart/form-data; boundary=x", b"--x--", "none"),
        ("multipart/form-data; boundary=x", b"--x\r\n", "ends before"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nx\r\n--x--',
            "its parts: file",
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="files"\r\n\r\ntext\r\n--x--',
            "is text, not a file",
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="y"\r\n\r\n\r\n' * 20 + b"\r\n--x--",
            "too many parts",
        ),
    ],
    ids=["picture", "no-boundary", "empty", "cut", "other-name", "text", "others"],
)
def test_the_error_for_a_request_without_files_lists_its_parts(
    client: TestClient, content_type: str, body: bytes, words: str
) -> None:
    response = client.post("/v1/denoise/batch", content=body, headers={"Content-Type": content_type})
    assert response.status_code == 400
    assert response.json()["type"] == "/problems/no-image"
    assert words in response.json()["detail"]


def test_an_empty_file_picker_is_not_a_file(client: TestClient) -> None:
    boundary = b'--x\r\nContent-Disposition: form-data; name="files"; filename=""\r\n\r\n\r\n--x--'
    response = client.post(
        "/v1/denoise/batch", content=boundary, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert response.status_code == 400
