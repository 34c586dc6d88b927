"""Uvicorn's server, with a grace period before it stops listening."""

import logging
import os
import signal
import socket
import time
from types import FrameType

import uvicorn
from fastapi import FastAPI

from app.processing.admission import Admission
from app.server.protocol import HttpProtocol
from app.settings import Settings

logger = logging.getLogger(__name__)


class DrainingServer(uvicorn.Server):
    """Uvicorn's server with a grace period between SIGTERM and the end of listening.

    The first signal turns ``/readyz`` to 503. After the grace period (none on Ctrl-C) the server stops listening and
    finishes the requests in work. A second signal stops it at once.
    """

    def __init__(self, settings: Settings, app: FastAPI, admission: Admission) -> None:
        super().__init__(server_config(settings, app))
        self._settings = settings
        self._admission = admission
        self._stop_at: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, and log where."""
        await super().startup(sockets)
        url = self._settings.local_url(self.servers[0].sockets[0].getsockname()[1])
        logger.info("ready: %s, open it in a browser to try it", url)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  # uvicorn calls it
        """Begin to drain; stop at once if this is the second signal."""
        if self._stop_at is not None:
            self.should_exit = self.force_exit = True
            return
        self._admission.is_draining = True
        has_grace = sig == signal.SIGTERM and self.started
        self._stop_at = time.monotonic() + (self._settings.drain_grace_s if has_grace else 0)

    async def on_tick(self, counter: int) -> bool:
        """Return whether it is time to stop; uvicorn asks ten times a second."""
        if self._stop_at is not None and time.monotonic() >= self._stop_at:
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish the requests in work, unless a second signal comes."""
        logger.info("stopping after the requests in work; a second signal drops them")
        await super().shutdown(sockets)
        if self.force_exit:
            os._exit(0)  # else uvicorn cancels the waiting lifespan, with a traceback


def server_config(settings: Settings, app: FastAPI | None) -> uvicorn.Config:
    """Return uvicorn's configuration; a process that only binds the socket has no ``app``."""
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # uvicorn reads it only when it serves
        host=settings.host,
        port=settings.port,
        http=HttpProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nothing here uses the client's address
        timeout_graceful_shutdown=int(settings.request_timeout_s) + 1,
    )
