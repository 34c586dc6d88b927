"""What the server's protocol refuses, ignores and ends before any application is asked."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from app.server.connections import KEPT_FOR_PROBES, MIN_CONNECTIONS, ConnectionLimit
from app.server.patience import ANSWER_TIMEOUT_S, HEADERS_TIMEOUT_S, LINGER_S
from app.server.protocol import MAX_HEADERS, MAX_OUTSIDE_BYTES, PIECE_BYTES, HttpProtocol
from tests.app.server.transports import GET, KEEP_ALIVE_S, RecordingTransport, answering, connect, echo, finish

pytestmark = pytest.mark.anyio

POST = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n"
OFFERING = b"POST /offer HTTP/1.1\r\nHost: a\r\n" + OFFER + b"Content-Length: 4\r\n\r\nbody"
EMPTY = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
answer_empty = answering(b"", headers=[(b"content-length", b"0")])


async def stay_silent(_scope: Scope, receive: Receive, _send: Send) -> None:
    """Read all that comes, and answer nothing."""
    while (await receive())["type"] != "http.disconnect":
        pass


def split(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def feed(protocol: HttpProtocol, transport: RecordingTransport, segments: list[bytes]) -> int:
    """Send segments until the server refuses; return the number of bytes that it has taken."""
    taken = 0
    for segment in segments:
        if transport.has_ended_writing or transport.is_closed:
            break
        protocol.data_received(segment)
        taken += len(segment)
    return taken


def status(transport: RecordingTransport) -> int:
    """Return the status of the last answer."""
    return int(transport.writes[-1].split()[1])


LONG = {
    "request line": b"GET /" + b"a" * 200_000,
    "header": b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 200_000,
    "headers": b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 40_000,
    "trailer": POST + b"0\r\nX: " + b"a" * 200_000,
    "trailers": POST + b"0\r\n" + b"X: a\r\n" * 40_000,
    "chunk extension": POST + b"1;" + b"a" * 200_000,
    "chunk extensions": POST + (b"1;" + b"a" * 1000 + b"\r\nx\r\n") * 200,
    "leading zeros of a chunk": POST + b"0" * 200_000,
    "empty lines before a request": b"\r\n" * 100_000,
}


@pytest.mark.parametrize("size", [1000, 65536, 300_000])
@pytest.mark.parametrize("kind", LONG)
async def test_bytes_outside_of_bodies_are_bounded_however_they_arrive(kind: str, size: int) -> None:
    protocol, transport = connect(stay_silent)
    taken = feed(protocol, transport, split(LONG[kind], size))
    assert status(transport) in ({400, 431} if kind == "leading zeros of a chunk" else {431})
    assert b"application/problem+json" in transport.writes[-1]
    assert transport.has_ended_writing
    assert taken <= MAX_OUTSIDE_BYTES + PIECE_BYTES + size
    await finish(protocol)


@pytest.mark.parametrize("size", [1, 1000, 65536])
async def test_as_many_bytes_as_are_allowed_are_taken(size: int) -> None:
    protocol, transport = connect(echo)
    head = POST.replace(b"\r\n\r\n", b"\r\nX: " + b"a" * (MAX_OUTSIDE_BYTES - len(POST) - 10) + b"\r\n\r\n")
    end = b"0\r\n\r\n"
    assert len(head + end) == MAX_OUTSIDE_BYTES
    feed(protocol, transport, split(head, size) + split(end, size))
    await finish(protocol)
    assert transport.writes == [EMPTY]
    feed(protocol, transport, [GET])  # the next request has all of them again
    await finish(protocol)
    assert transport.writes == [EMPTY, EMPTY]


async def test_requests_before_it_are_not_counted_for_a_request_that_is_nearly_too_long() -> None:
    protocol, transport = connect(answer_empty)
    before = GET * 300
    long = GET.replace(b"\r\n\r\n", b"\r\nX: " + b"a" * (MAX_OUTSIDE_BYTES - 1000) + b"\r\n\r\n")
    assert len(before) < PIECE_BYTES
    protocol.data_received(before + long)
    await finish(protocol)
    assert transport.writes == [EMPTY] * 301


async def test_a_long_header_behind_another_request_is_refused_after_that_one_is_answered() -> None:
    protocol, transport = connect(answer_empty)
    protocol.data_received(GET + b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
    await finish(protocol)
    feed(protocol, transport, split(b"a" * 200_000, 1000))
    assert transport.writes[0] == EMPTY
    assert status(transport) == 431


@pytest.mark.parametrize(
    "head",
    [
        GET.replace(b"\r\n\r\n", b"\r\nX: " + b"a" * 70_000 + b"\r\n\r\n"),
        GET.replace(b"/", b"/" + b"a" * 70_000, 1),
        POST.replace(b"\r\n\r\n", b"\r\nX: " + b"a" * 65_000 + b"\r\n\r\n") + b"0\r\nX: " + b"a" * 1000 + b"\r\n\r\n",
    ],
    ids=["header", "path", "header and trailer"],
)
async def test_a_long_request_that_arrives_whole_is_refused(head: bytes) -> None:
    protocol, transport = connect(stay_silent)
    protocol.data_received(head)
    await finish(protocol)
    assert [status(transport), len(transport.writes)] == [431, 1]


async def test_where_a_response_has_begun_the_connection_only_ends() -> None:
    started = asyncio.Event()

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        started.set()
        await stay_silent(_scope, receive, send)

    protocol, transport = connect(app)
    protocol.data_received(POST + b"1\r\nx\r\n")
    await started.wait()
    written = list(transport.writes)
    feed(protocol, transport, split(b"3;" + b"a" * 200_000, 1000))
    assert transport.is_closed
    assert transport.writes == written
    protocol.connection_lost(None)
    await finish(protocol)


@pytest.mark.parametrize(
    ("refused", "expected"),
    [
        (GET.replace(b"\r\n\r\n", b"\r\nX: ") + b"a" * 200_000, 431),
        (POST + b"1;" + b"a" * 200_000, 431),
        (POST + b"nonsense\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
    ],
    ids=["header", "chunk extension", "no chunk", "no HTTP"],
)
@pytest.mark.parametrize("before", [1, 3])
async def test_what_is_refused_behind_requests_in_work_is_refused_after_their_responses(
    before: int, refused: bytes, expected: int
) -> None:
    answered = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answered.wait()
        await answer_empty(scope, receive, send)

    protocol, transport = connect(app)
    feed(protocol, transport, split(GET * before + refused, 1000))
    assert transport.writes == []
    answered.set()
    await finish(protocol)
    assert transport.writes[:-1] == [EMPTY] * before
    assert status(transport) == expected
    assert transport.has_ended_writing


async def test_many_headers_that_arrive_slowly_are_refused() -> None:
    protocol, transport = connect(answer_empty)
    feed(protocol, transport, [b"GET / HTTP/1.1\r\n", *[b"a:\r\n"] * 2 * MAX_HEADERS])
    assert status(transport) == 431


@pytest.mark.parametrize("size", [1, 7, 1000, 100_000])
async def test_the_frame_of_chunks_is_not_counted(size: int) -> None:
    protocol, transport = connect(echo)
    feed(protocol, transport, split(POST + b"1\r\nx\r\n" * 20_000 + b"0\r\n\r\n", size))
    await finish(protocol)
    assert transport.writes[-1].endswith(b"x" * 20_000)


async def test_trailers_do_not_become_headers() -> None:
    seen: list[tuple[bytes, bytes]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await echo(scope, receive, send)
        seen.extend(scope["headers"])

    protocol, _ = connect(app)
    protocol.data_received(POST + b"0\r\nX-Trailer: a\r\n\r\n")
    await finish(protocol)
    assert seen == [(b"host", b"a"), (b"transfer-encoding", b"chunked")]


async def test_what_still_arrives_after_a_refusal_is_thrown_away_until_the_client_had_time_to_read_it() -> None:
    protocol, transport = connect(answer_empty)
    protocol.data_received(b"nonsense\r\n\r\n")
    protocol.data_received(GET)
    now = protocol.loop.time()
    assert [status(transport), len(transport.writes)] == [400, 1]
    protocol.end_if_overdue(now)
    assert not transport.is_closed
    protocol.end_if_overdue(now + LINGER_S)
    assert transport.is_closed


@pytest.mark.parametrize("cut", range(1, len(OFFERING)))
async def test_an_offer_to_upgrade_is_ignored_wherever_it_is_split(cut: int) -> None:
    protocol, transport = connect(echo)
    protocol.data_received(OFFERING[:cut])
    protocol.data_received(OFFERING[cut:])
    await finish(protocol)
    assert transport.writes == [b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody"]


@pytest.mark.parametrize("cut", range(len(GET), len(GET + OFFERING)))
async def test_an_offer_behind_another_request_is_ignored_and_what_follows_is_answered(cut: int) -> None:
    protocol, transport = connect(echo)
    requests = GET + OFFERING + OFFERING.replace(b"h2c", b"websocket") + GET
    protocol.data_received(requests[:cut])
    protocol.data_received(requests[cut:])
    await finish(protocol)
    full = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody"
    assert transport.writes == [EMPTY, full, full, EMPTY]


async def test_an_offer_with_a_chunked_body_is_ignored_and_no_header_is_lost() -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await echo(scope, receive, send)

    protocol, transport = connect(app)
    protocol.data_received(POST.replace(b"Host: a\r\n", b"Host: a\r\nX: b\r\n" + OFFER) + b"3\r\nabc\r\n0\r\n\r\n")
    await finish(protocol)
    assert transport.writes[-1].endswith(b"\r\n\r\nabc")
    assert [name for name, _ in seen[0]["headers"]] == [
        b"host", b"x", b"connection", b"http2-settings", b"transfer-encoding",
    ]  # fmt: skip


ANSWERS = {
    GET: EMPTY,
    OFFERING: b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody",
    POST + b"3;a=b\r\nabc\r\n000002\r\nde\r\n0\r\nX: y\r\n\r\n": b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabcde",
    b"\r\nPOST / HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\n0\r\n\r\n1": (
        b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n0\r\n\r\n1"
    ),
}


@st.composite
def cut_requests(draw: st.DrawFn) -> tuple[list[bytes], list[int]]:
    """Return requests, and where to cut what is sent."""
    requests = draw(st.lists(st.sampled_from(list(ANSWERS)), min_size=1, max_size=6))
    return requests, sorted(draw(st.sets(st.integers(1, len(b"".join(requests)) - 1), max_size=20)))


@given(cut=cut_requests())
async def test_requests_are_answered_alike_however_they_are_cut_into_segments(
    cut: tuple[list[bytes], list[int]],
) -> None:
    requests, cuts = cut
    protocol, transport = connect(echo)
    sent = b"".join(requests)
    for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
        protocol.data_received(sent[start:end])
    await finish(protocol)
    assert b"".join(transport.writes) == b"".join(ANSWERS[request] for request in requests)
    assert not transport.is_closed


@pytest.mark.parametrize("line", [b"CONNECT a:80 HTTP/1.1", b"GET http:// HTTP/1.1", b"PRI * HTTP/2.0"])
async def test_what_cannot_be_answered_here_is_refused(line: bytes) -> None:
    protocol, transport = connect(echo)
    protocol.data_received(line + b"\r\nHost: a\r\n\r\n")
    assert status(transport) == 400


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"GET / HTTP/1.1\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n", 400),
        (b"GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n", 400),
        (b"GET / HTTP/1.0\r\n", 200),
        (b"GET /\r\n", 200),
        (b"GET / HTTP/1.1\r\nHost:\r\n", 200),
    ],
)
async def test_a_request_names_one_host(head: bytes, expected: int) -> None:
    protocol, transport = connect(answer_empty)
    protocol.data_received(GET + head + b"\r\n")  # behind another, whose answer comes first
    await finish(protocol)
    assert [int(written.split()[1]) for written in transport.writes if written.startswith(b"HTTP")] == [200, expected]
    assert transport.has_ended_writing == (expected == 400)


Wait = tuple[list[bytes], float]


@pytest.mark.parametrize(
    ("segments", "timeout_s"),
    [
        ([], HEADERS_TIMEOUT_S),
        ([b"GET / HT"], HEADERS_TIMEOUT_S),
        ([GET], KEEP_ALIVE_S),
        ([GET, b"\r\n"], KEEP_ALIVE_S),
        ([GET, b"GET / HT"], HEADERS_TIMEOUT_S),
        ([GET + b"GET / HT"], HEADERS_TIMEOUT_S),
    ],
    ids=["silent", "headers", "kept alive", "kept alive with an empty line", "next headers", "headers behind another"],
)
async def test_a_client_that_says_nothing_is_waited_for_only_so_long(segments: list[bytes], timeout_s: float) -> None:
    protocol, transport = connect(answer_empty)
    for segment in segments:
        protocol.data_received(segment)
        await finish(protocol)
    now = protocol.loop.time()
    protocol.end_if_overdue(now + timeout_s - 1)
    assert not transport.is_closed
    protocol.end_if_overdue(now + timeout_s)
    assert transport.is_closed


async def test_headers_that_dribble_do_not_move_their_end() -> None:
    protocol, transport = connect(answer_empty)
    begin = protocol.loop.time()
    for byte in split(GET, 1)[:-1]:
        protocol.data_received(byte)
    protocol.end_if_overdue(begin + HEADERS_TIMEOUT_S + 1)
    assert transport.is_closed


async def test_a_body_that_does_not_end_keeps_no_connection_open_after_the_answer() -> None:
    protocol, transport = connect(answering(b"", headers=[(b"content-length", b"0")]))
    protocol.data_received(POST)
    await finish(protocol)
    end = protocol.loop.time() + KEEP_ALIVE_S
    protocol.data_received(b"1\r\nx\r\n")
    protocol.end_if_overdue(end)
    assert transport.is_closed


async def test_a_request_in_work_is_not_ended() -> None:
    protocol, transport = connect(stay_silent)
    protocol.data_received(GET + b"GET / HT")
    protocol.end_if_overdue(protocol.loop.time() + 1000)
    assert not transport.is_closed
    protocol.connection_lost(None)
    await finish(protocol)


async def test_a_client_that_does_not_read_its_answer_is_dropped() -> None:
    protocol, transport = connect(answer_empty)
    protocol.data_received(GET)
    await finish(protocol)
    now = protocol.loop.time()
    transport.unread_bytes = 1000
    protocol.end_if_overdue(now)
    transport.unread_bytes = 999
    protocol.end_if_overdue(now + ANSWER_TIMEOUT_S - 1)
    protocol.end_if_overdue(now + 2 * ANSWER_TIMEOUT_S - 2)
    assert not transport.is_closed
    protocol.end_if_overdue(now + 2 * ANSWER_TIMEOUT_S - 1)
    assert transport.is_aborted


async def test_who_waits_for_a_client_that_does_not_read_learns_that_it_is_gone() -> None:
    done: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer_empty(scope, receive, send)
        done.append(True)

    protocol, transport = connect(app)
    protocol.pause_writing()
    protocol.data_received(GET + GET)
    await asyncio.sleep(0)
    assert done == []
    protocol.connection_lost(ConnectionResetError())
    await finish(protocol)
    assert (done, transport.writes) == ([True], [])


async def test_a_pipelined_request_in_work_learns_that_its_client_is_gone() -> None:
    received: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        received.append((await receive())["type"])

    protocol, _ = connect(app)
    protocol.data_received(GET + GET)
    await asyncio.sleep(0)
    protocol.connection_lost(None)
    await finish(protocol)
    assert received == ["http.disconnect"]


@pytest.fixture
def connect_another() -> Callable[[], tuple[HttpProtocol, RecordingTransport]]:
    limit = ConnectionLimit(MIN_CONNECTIONS)
    return lambda: connect(answer_empty, limit=limit)


async def test_beyond_the_ordinary_connections_only_probes_are_answered(
    connect_another: Callable[[], tuple[HttpProtocol, RecordingTransport]],
) -> None:
    silent = [connect_another() for _ in range(MIN_CONNECTIONS - KEPT_FOR_PROBES)]
    protocol, transport = connect_another()
    for path in (b"/livez", b"/readyz"):
        protocol.data_received(GET.replace(b"/", path, 1))
        await finish(protocol)
    assert transport.writes == [EMPTY, EMPTY]
    protocol.data_received(GET)
    assert status(transport) == 503
    for part in (b"retry-after: 1", b"connection: close", b"application/problem+json"):
        assert part in transport.writes[-1].lower()
    assert transport.has_ended_writing
    assert not any(taken.is_closed for _, taken in silent)


async def test_a_connection_is_ordinary_once_there_is_room(
    connect_another: Callable[[], tuple[HttpProtocol, RecordingTransport]],
) -> None:
    silent = [connect_another()[0] for _ in range(MIN_CONNECTIONS - KEPT_FOR_PROBES)]
    protocol, transport = connect_another()
    silent[0].connection_lost(None)
    protocol.data_received(GET)
    await finish(protocol)
    assert transport.writes == [EMPTY]


async def test_a_further_connection_takes_the_place_of_the_oldest_that_is_spare(
    connect_another: Callable[[], tuple[HttpProtocol, RecordingTransport]],
) -> None:
    all_taken = [connect_another() for _ in range(MIN_CONNECTIONS)]
    protocol, transport = connect_another()
    assert [taken.is_aborted for _, taken in all_taken].index(True) == MIN_CONNECTIONS - KEPT_FOR_PROBES
    assert [taken.is_aborted for _, taken in all_taken].count(True) == 1
    protocol.data_received(GET.replace(b"/", b"/livez", 1))
    await finish(protocol)
    assert transport.writes == [EMPTY]
