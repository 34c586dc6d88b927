"""Run the service: in this process, or in several worker processes that share a listening socket."""

import logging
import multiprocessing
import os
import signal
import socket
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import FrameType

from uvicorn.config import STARTUP_FAILURE

from app.main import create_app
from app.processing.admission import Admission
from app.server.draining import DrainingServer, server_config
from app.settings import Settings
from app.telemetry.logs import configure_logging
from app.telemetry.metrics import forget_process, shared_between_processes

logger = logging.getLogger(__name__)


def serve(settings: Settings) -> int:
    """Serve until a signal comes, and return the exit code of the process."""
    configure_logging(settings.log_format)
    if settings.workers > 1:
        return _Workers(settings).run()
    _serve_here(settings, None)
    return 0


def _serve_here(settings: Settings, sockets: list[socket.socket] | None) -> None:
    admission = Admission(slots=settings.queue_size)
    DrainingServer(settings, create_app(settings, admission=admission), admission).run(sockets)


def _serve_worker(settings: Settings, sockets: list[socket.socket]) -> None:
    os.setpgrp()  # so that Ctrl-C reaches only the parent, which passes it on once
    configure_logging(settings.log_format)
    _serve_here(settings, sockets)


class _Workers:
    """Worker processes on one listening socket: one that dies is replaced, one that cannot start stops them all."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._context = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
        self._sockets = [server_config(settings, None).bind_socket()]
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
                    logger.error("worker %s ended with exit code %s, starting another", process.pid, process.exitcode)
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
