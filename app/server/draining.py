"""Uvicorn's server, with a grace period before it stops listening, and an end to every stop."""

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
import time
from functools import partial
from types import FrameType

import uvicorn
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE

from app.processing.admission import Admission
from app.processing.deadline import Stop
from app.server.connections import ConnectionLimit, default_max_connections
from app.server.protocol import HttpProtocol
from app.settings import Settings

STOP_MARGIN_S = 3.0  # from the deadline of the last request to the end of the process
TICKS_PER_S = 10  # uvicorn's
HEADERS = [("X-Content-Type-Options", "nosniff")]  # of every answer

logger = logging.getLogger(__name__)


class DrainingServer(uvicorn.Server):
    """Uvicorn's server with a grace period between SIGTERM and the end of listening.

    The first signal turns ``/readyz`` to 503. After the grace period (none on Ctrl-C) the server stops listening and
    finishes the requests in work. A second signal stops it at once, as does one that comes before it is ready. Whatever
    is in work, the process ends within the grace period, the timeout of a request, and STOP_MARGIN_S.
    """

    def __init__(self, settings: Settings, app: FastAPI, admission: Admission, stop: Stop) -> None:
        super().__init__(server_config(settings, app))
        self._settings = settings
        self._admission = admission
        self._stop = stop
        self._stop_at: float | None = None
        self._watchdog: threading.Timer | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, and log where."""
        try:
            await super().startup(sockets)
        except OSError as error:  # another process listens since the port was bound
            logger.error("cannot listen: %s", error)
            await self.lifespan.shutdown()
            sys.exit(STARTUP_FAILURE)
        url = self._settings.local_url(self.servers[0].sockets[0].getsockname()[1])
        logger.info("ready: %s, open it in a browser to try it", url)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  # uvicorn calls it
        """Begin to drain; stop at once if this is the second signal, or nothing has begun."""
        if not self.started:
            os._exit(0)  # a network that is being loaded cannot be interrupted otherwise
        if self._stop_at is not None:
            self.should_exit = self.force_exit = True
            return
        self._admission.is_draining = True
        self._stop_at = time.monotonic() + (self._settings.drain_grace_s if sig == signal.SIGTERM else 0)

    async def on_tick(self, counter: int) -> bool:
        """Return whether it is time to stop; uvicorn asks ten times a second. Close overdue connections each second."""
        if counter % TICKS_PER_S == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, HttpProtocol):
                    connection.end_if_overdue(now)
        if self._stop_at is not None:
            rest_s = self._stop_at - time.monotonic()
            self._watch(rest_s + self._settings.request_timeout_s + STOP_MARGIN_S)
            self.should_exit |= rest_s <= 0
        return await super().on_tick(counter)

    def _watch(self, timeout_s: float) -> None:
        """End the process after a time if nothing else has; threads that compute cannot be interrupted otherwise."""
        if self._watchdog is None:
            self._watchdog = threading.Timer(timeout_s, _abandon)
            self._watchdog.daemon = True
            self._watchdog.start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish the requests in work, unless a second signal comes; what takes too long gets a 503."""
        logger.info("stopping after the requests in work; a second signal drops them")
        self._stop.set_in(self._settings.request_timeout_s)
        await super().shutdown(sockets)
        if self.force_exit:
            os._exit(0)  # else uvicorn cancels the waiting lifespan, with a traceback


def _abandon() -> None:
    logger.warning("stopped, with work that did not end in time")
    os._exit(0)


def server_config(settings: Settings, app: FastAPI) -> uvicorn.Config:
    """Return uvicorn's configuration; the server is given its sockets."""
    limit = ConnectionLimit(settings.max_connections or default_max_connections())
    return uvicorn.Config(
        app,
        http=partial(HttpProtocol, limit=limit),  # type: ignore[arg-type]  # uvicorn only calls it
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        headers=HEADERS,
        proxy_headers=False,  # nothing here uses the client's address
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=int(settings.request_timeout_s) + 1,
    )
