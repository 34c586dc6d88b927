"""Errors as problem details, and the table from error class to status."""

import json

import pytest
from fastapi.testclient import TestClient
from starlette.types import Scope

from app import errors
from app.web.responses.problems import INTERNAL_DETAIL, PROBLEM_TYPES, answer_denoiser_error, describe_problem
from tests.app.fakes import FailingDenoiser
from tests.app.pictures import encode, ring
from tests.app.serving import MakeClient


def leaves(kind: type[errors.DenoiserError]) -> set[type[errors.DenoiserError]]:
    below = kind.__subclasses__()
    return set().union(*map(leaves, below)) if below else {kind}


def test_every_error_that_a_request_can_meet_has_a_status() -> None:
    assert leaves(errors.DenoiserError) - {errors.KeyFileError, errors.ModelStoreError} == PROBLEM_TYPES.keys()


def test_every_error_is_problem_details_with_a_request_id(client: TestClient) -> None:
    response = client.post("/v1/denoise", headers={"X-Request-ID": "mine"})
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-request-id"] == "mine"
    assert {"type", "title", "status", "detail"} <= response.json().keys()
    assert response.json()["status"] == response.status_code


def test_a_page_that_does_not_exist_is_a_problem(client: TestClient) -> None:
    response = client.get("/nowhere")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert "/nowhere" in response.json()["detail"]


def test_a_wrong_method_is_a_problem_that_lists_the_right_ones(client: TestClient) -> None:
    response = client.get("/v1/denoise")
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert response.json()["type"] == "/problems/method-not-allowed"


def test_text_named_png_is_not_a_supported_format(client: TestClient) -> None:
    response = client.post("/v1/denoise", files={"file": ("picture.png", b"just text", "image/png")})
    assert response.status_code == 415
    assert "PNG" in response.json()["names"]


def test_a_truncated_picture_is_invalid(client: TestClient) -> None:
    response = client.post("/v1/denoise", content=encode(ring(200))[:-100])
    assert response.status_code == 422
    assert response.json()["type"] == "/problems/invalid-image"


def test_too_many_pixels_are_refused_with_the_limit(make_client: MakeClient) -> None:
    client = make_client(max_pixels=28 * 28)
    assert client.post("/v1/denoise", content=encode(ring())).status_code == 200
    response = client.post("/v1/denoise", content=encode(ring(29)))
    assert response.status_code == 422
    assert response.json() | {"limit": 784, "type": "/problems/image-too-large"} == response.json()


@pytest.mark.parametrize(
    ("query", "names"),
    [({"model": "huge"}, ["free", "tiny", "told"]), ({"version": 7}, ["1", "2"])],
    ids=["model", "version"],
)
def test_an_unknown_model_or_version_lists_the_known_ones(
    client: TestClient, query: dict[str, str], names: list[str]
) -> None:
    response = client.post("/v1/denoise", content=encode(ring()), params=query)
    assert response.status_code == 404
    assert response.json()["names"] == names


def test_a_failing_network_is_a_500_without_the_cause_and_the_next_request_is_served(
    make_client: MakeClient,
) -> None:
    client = make_client(FailingDenoiser())
    response = client.post("/v1/denoise", content=encode(255 - ring()), params={"polarity": "light-on-dark"})
    assert response.status_code == 500
    assert response.json()["type"] == "/problems/inference-failed"
    assert "secret" not in response.text
    assert client.post("/v1/denoise", content=encode(ring())).status_code == 200


@pytest.mark.parametrize(
    ("error", "status", "text", "is_logged"),
    [
        (errors.NoImageError("The file is empty."), 400, "The file is empty.", False),
        (errors.InferenceError("The network failed."), 500, "The network failed.", True),
        (ValueError("a secret"), 500, INTERNAL_DETAIL, True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_a_problem_tells_what_is_meant_for_clients_and_the_log_what_is_no_fault_of_theirs(
    error: Exception, status: int, text: str, *, is_logged: bool, caplog: pytest.LogCaptureFixture
) -> None:
    problem = describe_problem(error)
    assert (problem.status, problem.detail) == (status, text)
    assert [record.exc_info[1] for record in caplog.records if record.exc_info] == ([error] if is_logged else [])


def test_a_problem_names_limits_names_and_parameters_and_when_to_try_again() -> None:
    scope: Scope = {"type": "http"}
    error = errors.QueueFullError("Full.", limit=3, names=["a"], parameter="b", retry_after_s=7)
    response = answer_denoiser_error(scope, error)
    assert response.status_code == 429
    assert response.headers["retry-after"] == "7"
    assert json.loads(bytes(response.body)) == {
        "type": "/problems/queue-full", "title": "Queue full", "status": 429, "detail": "Full.",
        "limit": 3, "names": ["a"], "parameter": "b",
    }  # fmt: skip
    assert scope["denoiser.record"] == {"problem": "queue-full"}


def test_a_long_path_is_not_repeated_in_full(client: TestClient) -> None:
    detail = client.get("/" + "x" * 5000).json()["detail"]
    assert len(detail) < 200
