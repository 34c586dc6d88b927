"""The pictures that a request carries, as its body or in a form, through the whole application."""

from typing import Any

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


ONE, MANY = ("/v1/denoise", "file"), ("/v1/denoise/batch", "files")


@pytest.mark.parametrize(("path", "part"), [ONE, MANY])
def test_fields_of_the_form_are_parameters(client: TestClient, path: str, part: str) -> None:
    fields = {"model": "told", "noise_level": "12.5", "format": "webp"}
    response = client.post(path, files={part: ("a.png", PICTURE)}, data=fields, headers={"Accept": "application/json"})
    body = response.json()
    item = body["items"][0] if part == "files" else body
    assert item["model"]["name"] == "told"
    assert item["input"]["noise_level"] == 12.5
    assert item["image"]["media_type"] == "image/webp"


def test_the_query_and_the_form_add_up(client: TestClient) -> None:
    response = client.post(
        "/v1/denoise?noise_level=20", files={"file": ("a.png", PICTURE)}, data={"model": "told", "format": "jpeg"}
    )
    assert (response.headers["x-model-name"], response.headers["x-noise-level"]) == ("told", "20")
    assert response.headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize(("path", "part"), [ONE, MANY])
@pytest.mark.parametrize(
    ("fields", "parameter", "words"),
    [
        ({"modle": "told"}, "modle", "There is no parameter 'modle'; is 'model' meant?"),
        ({"fit": "crop"}, "fit", "'stretch', 'pad' or 'mnist', not 'crop'"),
        ({"version": "1"}, "version", "more than once, in the query and the form together"),
        ({"noise_level": "9"}, "noise_level", "has no meaning for the model"),
        ({"model": "x" * 201}, "model", "has 201 bytes; at most 200"),
    ],
)
def test_fields_are_checked_like_the_query(
    client: TestClient, path: str, part: str, fields: dict[str, str], parameter: str, words: str
) -> None:
    response = client.post(f"{path}?version=1", files={part: ("a.png", PICTURE)}, data=fields)
    assert response.status_code == 422
    assert response.json()["parameter"] == parameter
    assert words in response.json()["detail"]


@pytest.mark.parametrize(("path", "part"), [ONE, MANY])
@pytest.mark.parametrize("name", ["mask", "model"])
def test_a_file_in_another_part_is_refused(client: TestClient, path: str, part: str, name: str) -> None:
    files: Any = {part: ("a.png", PICTURE), name: ("m.png", b"tiny")}
    response = client.post(path, files=files)
    assert response.status_code == 422
    assert response.json()["parameter"] == name
    assert f"The part '{name}' is a file" in response.json()["detail"]


def test_a_format_in_the_form_that_accept_does_not_allow_is_refused(client: TestClient) -> None:
    files = {"file": ("a.png", PICTURE)}
    response = client.post("/v1/denoise", files=files, data={"format": "jpeg"}, headers={"Accept": "image/png"})
    assert response.status_code == 406
