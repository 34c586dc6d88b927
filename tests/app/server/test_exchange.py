"""How responses are sent, and lost connections reported."""

import asyncio

import pytest
from starlette.types import Receive, Scope, Send

from app.web.connection import connection_of, watch_connection
from tests.app.server.transports import GET, HEAD, answering, connect, finish

pytestmark = pytest.mark.anyio


async def test_a_complete_response_is_sent_in_one_piece() -> None:
    protocol, transport = connect(answering(b"abc", headers=[(b"content-length", b"3"), (b"x-a", b"1")]))
    protocol.data_received(GET)
    await finish(protocol)
    assert transport.writes == [b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\nx-a: 1\r\n\r\nabc"]
    assert not transport.is_closed


async def test_requests_that_arrive_together_are_answered_one_after_another() -> None:
    protocol, transport = connect(answering(b"abc", headers=[(b"content-length", b"3")]))
    protocol.data_received(GET * 3)
    await finish(protocol)
    assert transport.writes == [b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc"] * 3


async def test_a_response_in_parts_is_sent_in_parts() -> None:
    protocol, transport = connect(answering(b"ab", b"c", headers=[]))
    protocol.data_received(GET)
    await finish(protocol)
    head, *parts = transport.writes
    assert head == b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    assert b"".join(parts) == b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"


async def test_a_response_whose_end_is_held_back_stays_open_until_then(caplog: pytest.LogCaptureFixture) -> None:
    protocol, transport = connect(answering(b"abc", b"", headers=[(b"content-length", b"3")]))
    protocol.data_received(GET * 2)
    await finish(protocol)
    assert b"".join(transport.writes) == b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc" * 2
    assert caplog.text == ""


async def test_a_pending_receive_ends_when_the_response_is_complete() -> None:
    received: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        waiting = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        await answering(b"abc", headers=[(b"content-length", b"3")])(scope, receive, send)
        received.append((await waiting)["type"])

    protocol, _ = connect(app)
    protocol.data_received(GET)
    await finish(protocol)
    assert received == ["http.disconnect"]


async def test_head_is_answered_without_a_body() -> None:
    protocol, transport = connect(answering(b"abc", headers=[(b"content-length", b"3")]))
    protocol.data_received(HEAD)
    await finish(protocol)
    assert b"".join(transport.writes) == b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n"


async def test_a_response_with_connection_close_closes_the_connection() -> None:
    headers = [(b"content-length", b"3"), (b"Connection", b"close")]
    protocol, transport = connect(answering(b"abc", headers=headers))
    protocol.data_received(GET)
    await finish(protocol)
    assert b"".join(transport.writes).endswith(b"\r\n\r\nabc")
    assert transport.is_closed


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: b", b"a\nb", b"a\rb", b"a\0b"], ids=repr)
async def test_a_header_cannot_smuggle_in_another(value: bytes, caplog: pytest.LogCaptureFixture) -> None:
    protocol, transport = connect(answering(b"abc", headers=[(b"content-length", b"3"), (b"x-a", value)]))
    protocol.data_received(GET)
    await finish(protocol)
    assert value not in b"".join(transport.writes)
    assert "Invalid HTTP header value" in caplog.text


@pytest.mark.parametrize("announced", [b"2", b"4"])
async def test_a_wrong_content_length_is_not_hidden(announced: bytes, caplog: pytest.LogCaptureFixture) -> None:
    protocol, transport = connect(answering(b"abc", headers=[(b"content-length", announced)]))
    protocol.data_received(GET)
    await finish(protocol)
    assert "than Content-Length" in caplog.text
    assert transport.is_closed


async def test_the_callback_is_called_at_once_when_the_client_leaves_and_not_before() -> None:
    left: list[str] = []
    entered, release = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, _send: Send) -> None:
        with watch_connection(scope, receive, lambda: left.append("left")):
            entered.set()
            await release.wait()

    protocol, _ = connect(app)
    protocol.data_received(GET)
    await entered.wait()
    assert left == []
    protocol.connection_lost(None)
    assert left == ["left"]
    release.set()
    await finish(protocol)
    assert left == ["left"]


async def test_a_callback_that_is_set_after_the_client_left_is_called_at_once() -> None:
    left: list[str] = []
    entered, release = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, _send: Send) -> None:
        entered.set()
        await release.wait()
        with watch_connection(scope, receive, lambda: left.append("left")):
            assert left == ["left"]

    protocol, _ = connect(app)
    protocol.data_received(GET)
    await entered.wait()
    protocol.connection_lost(None)
    release.set()
    await finish(protocol)
    assert left == ["left"]


async def test_the_connection_knows_whether_the_request_has_arrived() -> None:
    seen: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        connection = connection_of(scope)
        assert connection is not None
        seen.append(connection.more_body)
        await receive()
        await receive()
        seen.append(connection.more_body)
        await answering(b"", headers=[(b"content-length", b"0")])(scope, receive, send)

    protocol, _ = connect(app)
    protocol.data_received(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na")
    await asyncio.sleep(0)
    protocol.data_received(b"b")
    await finish(protocol)
    assert seen == [True, False]
