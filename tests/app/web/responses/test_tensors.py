"""Denoised tensors as responses."""

import json

import numpy as np
import pytest

from app.web.responses.tensors import CHUNK, write_tensor
from tests.app.fakes import make_metadata

MODEL = make_metadata(version=3)
HEAD = {"model_name": "tiny", "model_version": "3"}
OUTPUT = {"name": "denoised", "datatype": "FP32"}


@pytest.mark.parametrize("count", [1, CHUNK // 784 + 1])
def test_a_result_in_json_has_every_number_exactly(count: int) -> None:
    images = np.random.default_rng(0).random((count, 28, 28, 1), dtype=np.float32)
    response = write_tensor(images, MODEL, request_id='"[]', is_binary=False)
    answer = json.loads(bytes(response.body))
    data = answer["outputs"][0].pop("data")
    assert answer == {"id": '"[]', **HEAD, "outputs": [OUTPUT | {"shape": [count, 28, 28, 1]}]}
    np.testing.assert_array_equal(np.array(data, np.float32).reshape(images.shape), images)
    assert response.media_type == "application/json"


def test_a_binary_result_follows_the_json() -> None:
    images = np.random.default_rng(0).random((2, 3, 5, 3), dtype=np.float32)
    response = write_tensor(images, MODEL, request_id=None, is_binary=True)
    body = bytes(response.body)
    length = int(response.headers["Inference-Header-Content-Length"])
    output = OUTPUT | {"shape": [2, 3, 5, 3], "parameters": {"binary_data_size": images.nbytes}}
    assert json.loads(body[:length]) == HEAD | {"outputs": [output]}
    assert body[length:] == images.tobytes()
    assert response.media_type == "application/octet-stream"
