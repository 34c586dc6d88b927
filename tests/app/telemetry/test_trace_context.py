"""The header ``traceparent``."""

import pytest

from app.telemetry.trace_context import TraceContext, parse_traceparent

TRACE_ID, PARENT_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
VALID = f"00-{TRACE_ID}-{PARENT_ID}-01"


def test_a_header_is_read_and_written() -> None:
    trace = parse_traceparent(VALID.encode())
    assert trace == TraceContext(TRACE_ID, PARENT_ID, 1)
    assert trace.header == VALID.encode()


@pytest.mark.parametrize(
    ("flags", "is_sampled", "written"),
    [("00", False, "00"), ("01", True, "01"), ("02", False, "02"), ("ff", True, "03")],
)
def test_flags_that_are_not_known_are_not_passed_on(flags: str, *, is_sampled: bool, written: str) -> None:
    trace = parse_traceparent(f"00-{TRACE_ID}-{PARENT_ID}-{flags}".encode())
    assert trace is not None
    assert trace.is_sampled == is_sampled
    assert trace.header.endswith(f"-{written}".encode())


@pytest.mark.parametrize("rest", ["", "-what-comes-later"])
def test_a_later_version_is_read_as_far_as_it_is_known(rest: str) -> None:
    trace = parse_traceparent(f"cc-{TRACE_ID}-{PARENT_ID}-01{rest}".encode())
    assert trace is not None
    assert trace.header == VALID.encode()


@pytest.mark.parametrize(
    "value",
    [
        "",
        VALID.upper(),
        VALID[:-1],
        VALID + "-more",
        VALID + "0",
        " " + VALID,
        VALID.replace("00-", "ff-", 1),
        VALID.replace(TRACE_ID, "0" * 32),
        VALID.replace(PARENT_ID, "0" * 16),
        VALID.replace("4bf", "xyz"),
        VALID.replace("-", "_"),
        f"cc-{TRACE_ID}-{PARENT_ID}-01.more",
        VALID + "\n",
    ],
)
def test_anything_else_is_invalid(value: str) -> None:
    assert parse_traceparent(value.encode()) is None
