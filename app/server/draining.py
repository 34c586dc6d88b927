"""The server process: uvicorn that drains before it stops, one process or several on one socket."""

import logging
import multiprocessing
import os
import signal
import socket
import time
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import FrameType

import uvicorn
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE

from app.main import create_admission, create_app
from app.processing.admission import Admission
from app.server.protocol import HttpProtocol
from app.settings import Settings
from app.telemetry.metrics import forget_process, shared_between_processes
from app.telemetry.request_log import configure_logging

logger = logging.getLogger(__name__)


class DrainingServer(uvicorn.Server):
    """Uvicorn's server with a grace period between SIGTERM and the end of listening.

    The first signal makes ``/readyz`` answer 503; after the grace period (none on Ctrl-C) listening ends and
    what is in work is answered. A second signal stops at once.
    """

    def __init__(self, settings: Settings, app: FastAPI, admission: Admission) -> None:
        super().__init__(_config(settings, app))
        self._settings = settings
        self._admission = admission
        self._stop_at: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, then say where."""
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
        """Tell, ten times a second, whether it is time to stop."""
        if self._stop_at is not None and time.monotonic() >= self._stop_at:
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what is in work, unless a second signal says to leave it."""
        logger.info("stopping; a second signal leaves what is in work unanswered")
        await super().shutdown(sockets)
        if self.force_exit:
            os._exit(0)  # uvicorn would cancel the lifespan in mid-wait, with a traceback


def serve(settings: Settings) -> int:
    """Serve until a signal; gives the process's exit code."""
    configure_logging(settings.log_format)
    if settings.workers > 1:
        return _Workers(settings).run()
    _serve_here(settings, None)
    return 0


def _serve_here(settings: Settings, sockets: list[socket.socket] | None) -> None:
    admission = create_admission(settings)
    DrainingServer(settings, create_app(settings, admission=admission), admission).run(sockets)


def _config(settings: Settings, app: FastAPI | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # the parent of workers only binds the socket
        host=settings.host,
        port=settings.port,
        http=HttpProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nothing here asks for the client's address
        timeout_graceful_shutdown=int(settings.request_timeout_s) + 1,
    )


def _serve_worker(settings: Settings, sockets: list[socket.socket]) -> None:
    os.setpgrp()  # Ctrl-C reaches the parent alone, which passes it on once
    configure_logging(settings.log_format)
    _serve_here(settings, sockets)


class _Workers:
    """Processes that share one listening socket; one that dies is replaced, one that cannot start ends them all."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._context = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
        self._sockets = [_config(settings, None).bind_socket()]
        self._processes: list[BaseProcess] = []
        self._is_stopping = False

    def run(self) -> int:
        for sig in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sig, self._pass_on)
        with shared_between_processes():
            return self._supervise()

    def _supervise(self) -> int:
        self._processes = [self._start() for _ in range(self._settings.workers)]
        failed = False
        while self._processes:
            wait([process.sentinel for process in self._processes])
            for process in [process for process in self._processes if not process.is_alive()]:
                self._processes.remove(process)
                forget_process(process.pid or 0)
                if self._is_stopping:
                    continue
                if process.exitcode == STARTUP_FAILURE:
                    failed = True
                    self._pass_on(signal.SIGTERM, None)
                else:
                    logger.error("worker %s ended with %s, starting another", process.pid, process.exitcode)
                    self._processes.append(self._start())
        return STARTUP_FAILURE if failed else 0

    def _start(self) -> BaseProcess:
        process = self._context.Process(target=_serve_worker, args=(self._settings, self._sockets))
        process.start()
        return process

    def _pass_on(self, sig: int, _frame: FrameType | None) -> None:
        self._is_stopping = True
        for process in self._processes:
            if process.pid is not None and process.is_alive():
                os.kill(process.pid, sig)
