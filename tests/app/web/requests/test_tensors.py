"""Inference requests: what is read, and what is refused."""

import json
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ImageTooLargeError, InvalidTensorError, RequestError, UploadTooLargeError
from app.inference.metadata import ModelMetadata
from app.web.requests.tensors import MAX_JSON_BYTES, TensorRequest, find_json_length, read_tensors
from tests.app.fakes import ANY_SIZE, NOISE_LEVELS, make_metadata

FIXED = make_metadata()
TOLD = make_metadata(input=ANY_SIZE | {"channels": 3}, noise_level=NOISE_LEVELS)
DIGITS = np.random.default_rng(0).random((2, 28, 28, 1), dtype=np.float32)
BINARY = DIGITS.tobytes()


def tensor(**changes: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
    return {"name": "image", "shape": [2, 28, 28, 1], "datatype": "FP32"} | changes


def body(*inputs: dict[str, Any], binary: bytes = b"", **more: Any) -> tuple[bytes, int]:  # noqa: ANN401  # JSON
    head = json.dumps({"inputs": list(inputs)} | more).encode()
    return head + binary, len(head)


def read(content: bytes, json_length: int | None, model: ModelMetadata = FIXED) -> TensorRequest:
    return read_tensors(content, json_length, model, max_pixels=100_000, max_images=10)


@pytest.mark.parametrize("data", [DIGITS.tolist(), DIGITS.ravel().tolist()], ids=["nested", "flat"])
def test_data_may_be_json(data: list[Any]) -> None:
    content, _ = body(tensor(data=data), id="mine")
    request = read(content, None)
    np.testing.assert_array_equal(request.images, DIGITS)
    assert (request.id, request.is_binary, request.noise_levels) == ("mine", False, None)


def test_data_may_follow_the_json() -> None:
    request = read(*body(tensor(parameters={"binary_data_size": len(BINARY)}), binary=BINARY))
    np.testing.assert_array_equal(request.images, DIGITS)


def test_each_tensor_may_have_its_data_in_either_place() -> None:
    image = np.zeros((2, 5, 7, 3), np.float32)
    level = {"name": "noise_level", "shape": [2], "datatype": "FP32"}
    binary = tensor(shape=list(image.shape), parameters={"binary_data_size": image.nbytes})
    for content in (
        body(level | {"data": [0.125, 0.25]}, binary, binary=image.tobytes()),
        body(
            level | {"parameters": {"binary_data_size": 8}},
            binary,
            binary=np.array([0.125, 0.25], np.float32).tobytes() + image.tobytes(),
        ),
    ):
        request = read(*content, TOLD)
        assert request.noise_levels is not None
        assert request.noise_levels.tolist() == [0.125, 0.25]
        assert request.images.shape == (2, 5, 7, 3)


@pytest.mark.parametrize(
    ("more", "is_binary"),
    [
        ({}, False),
        ({"parameters": {"binary_data_output": True, "priority": 1}}, True),
        ({"outputs": [{"name": "denoised", "parameters": {"binary_data": True}}]}, True),
        ({"outputs": [{"name": "denoised"}]}, False),
        ({"outputs": [{"name": "denoised", "parameters": {"binary_data": False}}],
          "parameters": {"binary_data_output": True}}, False),
    ],
    ids=str,
)  # fmt: skip
def test_the_client_says_whether_the_result_is_binary(more: dict[str, Any], *, is_binary: bool) -> None:
    content, _ = body(tensor(data=DIGITS.ravel().tolist()), **more)
    assert read(content, None).is_binary == is_binary


WRONG: list[tuple[list[dict[str, Any]], bytes, str]] = [
    ([], b"", "inputs: "),
    ([tensor()], b"", "has no data"),
    ([tensor(name="picture", data=[0])], b"", "takes image, not picture"),
    ([tensor(data=[0]), tensor(data=[0])], b"", "takes image, not image, image"),
    ([tensor(datatype="UINT8", data=[0])], b"", "is UINT8; the model takes FP32"),
    ([tensor(shape=[2, 28, 28], data=[0])], b"", "has the shape [2, 28, 28]; the model takes [-1, 28, 28, 1]"),
    ([tensor(shape=[2, 28, 29, 1], data=[0])], b"", "has the shape"),
    ([tensor(shape=[0, 28, 28, 1], data=[])], b"", "inputs.0.shape.0: "),
    ([tensor(shape=["2", 28, 28, 1], data=[])], b"", "inputs.0.shape.0: "),
    ([tensor(shape=[11, 28, 28, 1], data=[0])], b"", "at most 10"),
    ([tensor(data=[0.5])], b"", "does not fit"),
    ([tensor(data=DIGITS.reshape(28, 28, 2, 1).tolist())], b"", "does not fit"),
    ([tensor(data=[[0], [0, 1]])], b"", "no array of numbers"),
    ([tensor(data=["0"] * DIGITS.size)], b"", "no array of numbers"),
    ([tensor(data=[True] * DIGITS.size)], b"", "no array of numbers"),
    ([tensor(data=[10**400] * DIGITS.size)], b"", "no array of numbers"),
    ([tensor(data=[1e300] * DIGITS.size)], b"", "not finite"),
    ([tensor(data=[float("nan")] * DIGITS.size)], b"", "not finite"),
    ([tensor(data="0")], b"", "has no data"),
    ([tensor(parameters={"binary_data_size": len(BINARY)})], BINARY[:-1], "which announces"),
    ([tensor(parameters={"binary_data_size": len(BINARY)})], BINARY + b"x", "which announces"),
    ([tensor(parameters={"binary_data_size": 4})], b"four", "has 4 bytes; the shape"),
    ([tensor(parameters={"binary_data_size": -4})], b"", "binary_data_size: "),
    ([tensor(data=[0], parameters={"binary_data_size": len(BINARY)})], BINARY, "both data and"),
    ([tensor(parameters={"binary_data_size": len(BINARY)})], BINARY[4:] + b"\0\0\xc0\x7f", "not finite"),
    ([tensor(data=[0.5] * DIGITS.size)], b"more", "which announces"),
]


@pytest.mark.parametrize(
    ("inputs", "binary", "fault"), WRONG, ids=[f"{number} {fault}" for number, (_, _, fault) in enumerate(WRONG)]
)
def test_what_is_not_as_the_model_takes_it_is_refused(inputs: list[dict[str, Any]], binary: bytes, fault: str) -> None:
    with pytest.raises(InvalidTensorError) as caught:
        read(*body(*inputs, binary=binary))
    assert fault in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'{"inputs": 1}'])
def test_what_is_no_inference_request_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidTensorError):
        read(content, None)


def test_an_unknown_output_is_refused() -> None:
    content, _ = body(tensor(data=DIGITS.ravel().tolist()), outputs=[{"name": "noisy"}])
    with pytest.raises(InvalidTensorError, match="no output 'noisy'"):
        read(content, None)


@pytest.mark.parametrize(
    ("level", "fault"),
    [({"shape": [1], "data": [0.1]}, "one level for each image"), ({"shape": [2], "data": [0.1, 7]}, "the model knows"),
     ({"shape": [2], "data": [0.1, -0.1]}, "the model knows"), ({"shape": [2], "data": [0.1]}, "does not fit")],
    ids=str,
)  # fmt: skip
def test_noise_levels_that_the_model_cannot_use_are_refused(level: dict[str, Any], fault: str) -> None:
    image = tensor(shape=[2, 1, 1, 3], data=[0] * 6)
    with pytest.raises(InvalidTensorError, match=fault):
        read(*body(image, {"name": "noise_level", "datatype": "FP32"} | level), TOLD)


@pytest.mark.parametrize("shape", [[1, 70_000, 1, 3], [2, 300, 300, 3]])
def test_too_many_pixels_are_refused_before_the_data_is_looked_at(shape: list[int]) -> None:
    level = {"name": "noise_level", "datatype": "FP32", "shape": [shape[0]], "data": [0] * shape[0]}
    with pytest.raises(ImageTooLargeError):
        read(*body(tensor(shape=shape), level), TOLD)


def test_json_that_would_take_long_to_parse_is_refused() -> None:
    with pytest.raises(UploadTooLargeError):
        read(b" " * (MAX_JSON_BYTES + 1), None)


def test_a_length_beyond_the_body_is_refused() -> None:
    with pytest.raises(InvalidTensorError, match="the body has 2 bytes"):
        read(b"{}", 3)


@pytest.mark.parametrize(
    "headers",
    [{"Inference-Header-Content-Length": value} for value in ("", "-1", "1.5", "x", "٣", "9" * 11)]
    + [{"content-encoding": "gzip"}],
    ids=str,
)
def test_headers_that_make_no_sense_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(InvalidTensorError):
        find_json_length(headers)


def test_without_the_header_all_is_json() -> None:
    assert find_json_length({}) is None
    assert find_json_length({"Inference-Header-Content-Length": "12"}) == 12


def test_a_result_in_json_takes_more_of_the_pixel_budget() -> None:
    content, _ = body(tensor(data=DIGITS.ravel().tolist()))
    binary, _ = body(tensor(data=DIGITS.ravel().tolist()), parameters={"binary_data_output": True})
    assert (read(content, None).pixels_held, read(binary, None).pixels_held) == (2 * DIGITS.size, DIGITS.size)


@given(cut=st.integers(0, 1), place=st.integers(0, 10**6), byte=st.binary(min_size=1, max_size=3))
def test_a_request_that_was_damaged_is_read_or_refused(cut: int, place: int, byte: bytes) -> None:
    content, json_length = body(tensor(parameters={"binary_data_size": len(BINARY)}), binary=BINARY)
    place %= json_length
    damaged = content[:place] + byte + content[place + len(byte) * cut :]
    with suppress(RequestError):
        read(damaged, json_length)
