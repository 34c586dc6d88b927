"""The process from which decoders are forked, as the server sees it."""

import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULE = "app.processing.decoder_process"


class ForkServer:
    """Forks decoders from a process that starts once, when the first is ordered; they start in milliseconds."""

    def __init__(self, max_pixels: int) -> None:
        self._max_pixels = max_pixels
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None

    def fork(self, connection: socket.socket) -> None:
        """Order a decoder at the other end of ``connection``."""
        try:
            self._order(connection)
        except OSError:  # it was killed, and all decoders with it
            self.stop()
            self._order(connection)

    def stop(self) -> None:
        """Kill it, and with it all that it has forked."""
        if self._orders is not None:
            self._orders.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._orders = None

    def _order(self, connection: socket.socket) -> None:
        if self._orders is None:
            self._orders = self._start()
        socket.send_fds(self._orders, [b"+"], [connection.fileno()])

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  # nothing in it comes from a client
                [sys.executable, "-m", MODULE, str(self._max_pixels)],
                cwd=ROOT,
                env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # each thread reserves memory, and a fork has only one
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the server, which still has pictures in work
            )
        return ours
