"""How many connections a process holds at once; the last of them are kept for probes."""

import logging
import resource
from typing import Protocol

KEPT_FOR_PROBES = 16
MIN_CONNECTIONS = 2 * KEPT_FOR_PROBES
OTHER_FILES = 32  # that the process has open besides, at least
UNLIMITED_FILES = 2**20  # taken as the limit on open files where there is none

logger = logging.getLogger(__name__)


class Connection(Protocol):
    """A connection that can be given up."""

    def drop(self) -> None:
        """End it at once."""


class ConnectionLimit:
    """Counts the open connections; those beyond the ordinary ones are spare, and good for probes only.

    When all spare ones are taken, a further connection takes the place of the oldest. So a probe, which says at once
    what it wants, is answered however many clients hold connections open and say nothing.
    """

    def __init__(self, max_connections: int) -> None:
        self._max_ordinary = max_connections - KEPT_FOR_PROBES
        self._ordinary: set[Connection] = set()
        self._spare: dict[Connection, None] = {}  # the oldest first

    def enter(self, connection: Connection) -> None:
        """Count a new connection, and drop the oldest spare one if there would be too many."""
        if len(self._ordinary) < self._max_ordinary:
            self._ordinary.add(connection)
            return
        if not self._spare:
            logger.warning("%s connections are open, new ones are for probes only", self._max_ordinary)
        elif len(self._spare) == KEPT_FOR_PROBES:
            oldest = next(iter(self._spare))
            self.leave(oldest)
            oldest.drop()
        self._spare[connection] = None

    def admits(self, connection: Connection) -> bool:
        """Return whether a connection may ask for anything; a spare one may once there is room."""
        if connection in self._spare and len(self._ordinary) < self._max_ordinary:
            del self._spare[connection]
            self._ordinary.add(connection)
        return connection in self._ordinary

    def leave(self, connection: Connection) -> None:
        """Forget a connection."""
        self._ordinary.discard(connection)
        self._spare.pop(connection, None)


def default_max_connections() -> int:
    """Return three quarters of the files that the process may open, or fewer if those are few."""
    max_files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if max_files == resource.RLIM_INFINITY:
        max_files = UNLIMITED_FILES
    return max(min(max_files * 3 // 4, max_files - OTHER_FILES), MIN_CONNECTIONS)
