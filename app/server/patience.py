"""How long the service waits for a client."""

import asyncio
import fcntl
import sys
import termios
from typing import Final

HEADERS_TIMEOUT_S: Final = 15.0  # from the start of a connection, or from a request's first byte, to its headers' end
ANSWER_TIMEOUT_S: Final = 30.0  # in which a client must take something of its answer
LINGER_S: Final = 2.0  # in which a client can read why it was refused, while it may still be sending


class Unread:
    """How long a client has taken nothing of what was sent to it."""

    def __init__(self, transport: asyncio.Transport, now: float) -> None:
        self._transport = transport
        self._bytes = 0
        self._since = now

    def waits_for(self, now: float) -> float:
        """Return the seconds since a call has last seen that the client took something; 0 if it has all."""
        before, self._bytes = self._bytes, self._transport.get_write_buffer_size() + self._unsent_bytes()
        if self._bytes == 0 or self._bytes < before:
            self._since = now
        return now - self._since

    def _unsent_bytes(self) -> int:
        """Return what the system holds and the client has not acknowledged: megabytes, before any buffer here fills."""
        connection = self._transport.get_extra_info("socket")
        if sys.platform != "linux" or connection is None or self._transport.is_closing():
            return 0
        held = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4))
        return int.from_bytes(held, sys.byteorder)
