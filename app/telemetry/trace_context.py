"""Take over the trace that a request is part of (https://www.w3.org/TR/trace-context/)."""

import re
from dataclasses import dataclass

TRACEPARENT = b"traceparent"  # as ASGI spells header names

_FORM = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED = 1
_KNOWN_FLAGS = 3  # sampled, and since level 2 that the trace id is random


@dataclass(frozen=True)
class TraceContext:
    """A trace, and the span of it that sent the request."""

    trace_id: str
    parent_id: str
    flags: int

    @property
    def is_sampled(self) -> bool:
        """Whether the caller may have recorded the trace."""
        return bool(self.flags & _SAMPLED)

    @property
    def header(self) -> bytes:
        """The value of ``traceparent``, in the version of it that is known here."""
        return f"00-{self.trace_id}-{self.parent_id}-{self.flags:02x}".encode()


def parse_traceparent(value: bytes) -> TraceContext | None:
    """Return what a header ``traceparent`` says, or None if it is invalid (section 3.2 of the specification)."""
    form = _FORM.fullmatch(value)
    if form is None:
        return None
    version, trace_id, parent_id, flags, rest = form.groups()
    if version == b"ff" or (version == b"00" and rest) or not (int(trace_id, 16) and int(parent_id, 16)):
        return None
    return TraceContext(trace_id.decode(), parent_id.decode(), int(flags, 16) & _KNOWN_FLAGS)
