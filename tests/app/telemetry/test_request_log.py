"""Request ids, log records, and the response to uncaught exceptions."""

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from app.telemetry.request_log import RequestTelemetry
from app.web.responses.problems import answer_internal_error


@pytest.fixture
def failing_client() -> Iterator[TestClient]:
    app = FastAPI()

    @app.get("/fail")
    async def fail() -> None:
        msg = "a secret"
        raise RuntimeError(msg)

    app.add_middleware(RequestTelemetry, error_response=answer_internal_error, observe=lambda _route, _record: None)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    fields: dict[str, object] = record.__dict__["fields"]
    return fields


@pytest.mark.parametrize("given", ["a", "b" * 128, "trace-00 42;x"], ids=len)
def test_a_printable_request_id_is_echoed(client: TestClient, given: str) -> None:
    assert client.get("/livez", headers={"X-Request-ID": given}).headers["x-request-id"] == given


@pytest.mark.parametrize(
    "given", [b"", b"b" * 129, b"tab\there", "umlaut ä".encode()], ids=["empty", "long", "tab", "latin"]
)
def test_any_other_request_id_is_replaced(client: TestClient, given: bytes) -> None:
    made = client.get("/livez", headers={b"X-Request-ID": given}).headers["x-request-id"]
    assert len(made) == 32
    assert made != client.get("/livez").headers["x-request-id"]


def test_an_uncaught_exception_is_a_problem_without_its_text(failing_client: TestClient) -> None:
    response = failing_client.get("/fail")
    assert response.status_code == 500
    assert response.json()["type"] == "/problems/internal-error"
    assert "secret" not in response.text
    assert response.headers["x-request-id"]


def test_an_uncaught_exception_is_logged_in_full_with_the_request_id(
    failing_client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    response = failing_client.get("/fail")
    logged = next(record for record in caplog.records if record.exc_info)
    assert "a secret" in str(logged.exc_info)
    assert fields_of(logged)["request_id"] == response.headers["x-request-id"]


@pytest.mark.anyio
async def test_a_request_that_is_cancelled_counts_as_one_whose_client_is_gone() -> None:
    observed: list[Mapping[str, object]] = []

    async def wait(_scope: Scope, _receive: Receive, _send: Send) -> None:
        await asyncio.Event().wait()

    app = RequestTelemetry(wait, error_response=wait, observe=lambda _route, record: observed.append(record))
    scope = {"type": "http", "method": "POST", "path": "/v1/denoise", "headers": []}
    request = asyncio.create_task(app(scope, fail_to_receive, fail_to_send))
    await asyncio.sleep(0)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    assert [(record["status"], record["problem"]) for record in observed] == [(499, "client-gone")]


async def fail_to_receive() -> Message:
    raise NotImplementedError


async def fail_to_send(_message: Message) -> None:
    raise NotImplementedError


def test_only_requests_that_the_service_failed_are_warnings(
    failing_client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "app.telemetry.request_log"):
        statuses = [failing_client.get(path).status_code for path in ("/fail", "/unknown", "/openapi.json")]
    assert statuses == [500, 404, 200]
    levels = [record.levelname for record in caplog.records if record.message == "request"]
    assert levels == ["WARNING", "INFO", "INFO"]


def test_a_request_leaves_one_record(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "app.telemetry.request_log"):
        response = client.get("/v1/models")
    (record,) = (record for record in caplog.records if record.name == "app.telemetry.request_log")
    fields = fields_of(record)
    assert fields["method"] == "GET"
    assert fields["path"] == "/v1/models"
    assert fields["status"] == 200
    assert fields["request_id"] == response.headers["x-request-id"]


def test_the_time_of_a_record_is_the_end_of_its_request(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    start = time.time()
    with caplog.at_level(logging.INFO, "app.telemetry.request_log"):
        client.get("/v1/models")
        client.get("/v1/models")
    times = [record.created for record in caplog.records if record.name == "app.telemetry.request_log"]
    moments = [start, *times, time.time()]
    assert moments == sorted(moments)
    assert len(set(times)) == 2


def test_probes_are_not_logged(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "app.telemetry.request_log"):
        client.get("/readyz")
    assert [record for record in caplog.records if record.name == "app.telemetry.request_log"] == []


TRACE_ID, PARENT_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(("flags", "is_sampled"), [("01", True), ("00", False)])
def test_a_trace_is_taken_over_into_log_and_response(
    client: TestClient, caplog: pytest.LogCaptureFixture, flags: str, *, is_sampled: bool
) -> None:
    traceparent = f"00-{TRACE_ID}-{PARENT_ID}-{flags}"
    with caplog.at_level(logging.INFO, "app.telemetry.request_log"):
        response = client.post("/v1/denoise", headers={"traceparent": traceparent})
    assert response.headers["traceparent"] == traceparent
    (record,) = (record for record in caplog.records if record.name == "app.telemetry.request_log")
    expected = {"trace_id": TRACE_ID, "parent_id": PARENT_ID, "sampled": is_sampled}
    assert fields_of(record) | expected == fields_of(record)


@pytest.mark.parametrize("given", [[], ["nonsense"], [f"00-{TRACE_ID}-{PARENT_ID}-01"] * 2], ids=len)
def test_without_one_valid_traceparent_there_is_no_trace(
    client: TestClient, caplog: pytest.LogCaptureFixture, given: list[str]
) -> None:
    with caplog.at_level(logging.INFO, "app.telemetry.request_log"):
        response = client.get("/v1/models", headers=[("traceparent", value) for value in given])
    assert "traceparent" not in response.headers
    (record,) = (record for record in caplog.records if record.name == "app.telemetry.request_log")
    assert "trace_id" not in fields_of(record)
