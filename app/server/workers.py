"""Run the service: in this process, or in several worker processes that share the listening sockets."""

import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from contextlib import ExitStack
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

from uvicorn.config import STARTUP_FAILURE

from app.inference.denoiser import Loader
from app.main import create_app
from app.processing.admission import Admission
from app.processing.deadline import Stop
from app.server.draining import STOP_MARGIN_S, DrainingServer
from app.server.listening import close_sockets
from app.settings import Settings
from app.telemetry.logs import configure_logging
from app.telemetry.metrics import forget_process, shared_between_processes

KILL_MARGIN_S = 2.0  # more than workers need to end by themselves
MAX_SIGNALS = 64  # read at once

logger = logging.getLogger(__name__)


def serve(settings: Settings, sockets: list[socket.socket], *, load: Loader | None = None) -> int:
    """Serve on bound sockets until a signal comes, and return the exit code of the process.

    ``load`` loads a version's folder, by default with the runtime of the settings; several workers each receive a
    pickled copy.
    """
    if settings.workers > 1:
        return _Workers(settings, sockets, load).run()
    _serve_here(settings, sockets, load)
    return 0


def _serve_here(
    settings: Settings, sockets: list[socket.socket], load: Loader | None, *, skips_broken: bool = False
) -> None:
    admission = Admission(slots=settings.queue_size)
    stop = Stop()
    app = create_app(settings, load=load, admission=admission, stop=stop, skips_broken=skips_broken)
    DrainingServer(settings, app, admission, stop).run(sockets)


def _serve_worker(settings: Settings, sockets: list[socket.socket], load: Loader | None, is_replacement: bool) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.setpgrp()  # so that Ctrl-C reaches only the parent, which passes it on once
    signal.signal(signal.SIGINT, _end_at_once)  # until the server handles it
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    configure_logging(settings.log_format, settings.log_level)
    _serve_here(settings, sockets, load, skips_broken=is_replacement)


def _end_at_once(_sig: int, _frame: object) -> None:
    os._exit(0)


def _end_with_parent() -> None:
    """End this process as soon as its parent is gone, even killed: else it would hold the port for good."""
    if parent := multiprocessing.parent_process():
        parent.join()  # the end of a pipe that the parent holds: no process of the same id can deceive it
        os._exit(1)


class _Workers:
    """Worker processes on shared sockets: one that dies is replaced, one that cannot start stops them all.

    Signals are read like the ends of workers, one after another: a worker that is just being started misses none.
    """

    def __init__(self, settings: Settings, sockets: list[socket.socket], load: Loader | None) -> None:
        self._settings = settings
        self._load = load
        self._context = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
        self._sockets = sockets
        self._processes: list[BaseProcess] = []
        self._kill_at: float | None = None  # when those that have not stopped are killed
        self._exit_code = 0

    def run(self) -> int:
        signals, wakeup = socket.socketpair()
        with signals, wakeup, ExitStack() as stack:
            try:
                stack.enter_context(shared_between_processes(self._settings.workers))
            except OSError as error:
                logger.error("the workers cannot share metrics in a temporary folder: %s", error)
                return STARTUP_FAILURE
            wakeup.setblocking(False)
            signal.set_wakeup_fd(wakeup.fileno())
            for sig in (signal.SIGINT, signal.SIGTERM):
                signal.signal(sig, _wake)
            self._supervise(signals)
            signal.set_wakeup_fd(-1)
        return self._exit_code

    def _supervise(self, signals: socket.socket) -> None:
        for _ in range(self._settings.workers):
            self._start()
        while self._processes:
            ready = wait([signals, *(process.sentinel for process in self._processes)], self._patience_s())
            if signals in ready:
                for sig in signals.recv(MAX_SIGNALS):
                    self._stop(sig)
            for process in [process for process in self._processes if not process.is_alive()]:
                self._replace(process)
            if not ready:
                self._kill()

    def _patience_s(self) -> float | None:
        return None if self._kill_at is None else max(0, self._kill_at - time.monotonic())

    def _start(self, *, is_replacement: bool = False) -> None:
        """Start a worker; one that replaces another does not mind a version that was damaged since the start."""
        arguments = (self._settings, self._sockets, self._load, is_replacement)
        process = self._context.Process(target=_serve_worker, args=arguments)
        resource_tracker.ensure_running()  # starting it lets SIGINT through again
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # or Ctrl-C would interrupt its imports
        process.start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        self._processes.append(process)

    def _replace(self, process: BaseProcess) -> None:
        """Forget a worker that has ended, and start another unless the service stops."""
        self._processes.remove(process)
        forget_process(process.pid or 0)
        if self._kill_at is not None:
            return
        if process.exitcode == STARTUP_FAILURE:
            self._exit_code = STARTUP_FAILURE
            self._stop(signal.SIGTERM)
        else:
            logger.error("worker %s ended with exit code %s, starting another", process.pid, process.exitcode)
            self._start(is_replacement=True)

    def _stop(self, sig: int) -> None:
        """Pass a signal on; no worker is started any more, and the sockets are closed when the workers close theirs.

        As long as one process has them open the system accepts connections, which nobody would answer.
        """
        close_sockets(self._sockets)
        if self._kill_at is None:
            settings = self._settings
            stop_s = settings.drain_grace_s + settings.request_timeout_s + STOP_MARGIN_S
            self._kill_at = time.monotonic() + stop_s + KILL_MARGIN_S
        for process in self._processes:
            if process.pid is not None and process.is_alive():
                os.kill(process.pid, sig)

    def _kill(self) -> None:
        for process in self._processes:
            logger.error("worker %s did not stop in time, killed", process.pid)
            process.kill()
        self._kill_at = time.monotonic() + KILL_MARGIN_S


def _wake(_sig: int, _frame: object) -> None:
    """Let Python write the signal's number to the wakeup descriptor, which it does for signals that have a handler."""
