"""Processes that decode strangers' files: forked from one that has imported app.imaging and nothing more.

Each command is one message of JSON, and so is its answer; pixels and files come as descriptors of shared memory.
The server believes nothing of what it says: a file may have taken it over.
"""

import ctypes
import gc
import json
import math
import os
import resource
import signal
import socket
import sys
import time
import traceback

import numpy as np

from app.errors import RequestError
from app.imaging.decode import OpenedImage, decode_image, open_image

# A decoder may take so much more memory than it has.
SPARE_BYTES = 96 * 2**20
COPIES_OF_UPLOAD = 2  # what a parser takes out of it, and what it joins
BYTES_PER_PIXEL = 24  # a transparent WebP takes most, 22
WEBP_BYTES_PER_PIXEL = 8  # a WebP's two canvases are reserved when it is opened; they take memory when it is decoded

OPENING_CPU_S = 1  # and so much more processor time
DECODING_CPU_S = 3
PIXELS_PER_CPU_S = 2**21  # a twentieth of what a slow core decodes

MAX_MESSAGE_BYTES = 2**16
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def run_fork_server(orders: socket.socket, max_pixels: int) -> None:
    """Fork a decoder for each socket that arrives, until the server has closed its end of ``orders``."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how one ended, so that none is left as a zombie
    gc.collect()
    gc.freeze()  # a collection in a decoder would copy all that it shares with this process
    parent = os.getpid()
    while fds := socket.recv_fds(orders, 1, 1)[1]:
        connection = socket.socket(fileno=fds[0])
        if _fork() == 0:
            orders.close()
            _run_decoder(connection, max_pixels, parent=parent)
        connection.close()


def _fork() -> int | None:
    """Return 0 in the new process; None where there is no room for one, which the server sees by its closed socket."""
    try:
        return os.fork()
    except OSError:
        return None


def _run_decoder(connection: socket.socket, max_pixels: int, *, parent: int) -> None:
    """Decode until the server leaves; never return."""
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if os.getppid() == parent:  # it has not ended before it could take this process with it
            _Decoder(connection, max_pixels).run()
    except (MemoryError, ConnectionError):
        pass  # the server sees the end of the connection
    except Exception:  # likewise, and whoever reads the log sees why
        traceback.print_exc()
    finally:
        os._exit(0)


class _Decoder:
    def __init__(self, connection: socket.socket, max_pixels: int) -> None:
        self._connection = connection
        self._max_pixels = max_pixels
        self._base_bytes = 0
        self._opened: OpenedImage | None = None

    def run(self) -> None:
        self._answer({}, os.pidfd_open(os.getpid()))
        while received := socket.recv_fds(self._connection, MAX_MESSAGE_BYTES, 1):
            message, fds, *_ = received
            if not message:
                return
            try:
                self._obey(json.loads(message), fds)
            except RequestError as error:
                kind = type(error).__name__
                self._answer({"error": kind, "detail": str(error), "limit": error.limit, "names": error.names})

    def _obey(self, command: dict[str, float], fds: list[int]) -> None:
        opened, self._opened = self._opened, None
        if fds:
            self._open(_read_whole(fds[0]))
        elif "backdrop" in command and opened is not None:
            self._decode(opened, backdrop=command["backdrop"], keeps_color=bool(command["keeps_color"]))

    def _open(self, data: bytes) -> None:
        self._base_bytes = _address_space_bytes() + SPARE_BYTES + COPIES_OF_UPLOAD * len(data)
        canvases = WEBP_BYTES_PER_PIXEL * self._max_pixels if data[8:12] == b"WEBP" else 0
        self._limit(extra_bytes=canvases, cpu_s=OPENING_CPU_S)
        self._opened = open_image(data, max_pixels=self._max_pixels)
        opened = self._opened
        self._answer({"format": opened.format, "size": opened.size, "profile_bytes": opened.profile_bytes})

    def _decode(self, opened: OpenedImage, *, backdrop: float, keeps_color: bool) -> None:
        cpu_s = DECODING_CPU_S + opened.pixels // PIXELS_PER_CPU_S
        self._limit(extra_bytes=BYTES_PER_PIXEL * opened.pixels, cpu_s=cpu_s)
        decoded = decode_image(opened, backdrop=backdrop, keeps_color=keeps_color)
        samples = np.ascontiguousarray(decoded.samples)
        memory = _share(samples.data.cast("B"), decoded.icc_profile or b"")
        self._answer({"dtype": samples.dtype.name, "shape": samples.shape}, memory)

    def _limit(self, *, extra_bytes: int, cpu_s: int) -> None:
        resource.setrlimit(resource.RLIMIT_AS, (self._base_bytes + extra_bytes, resource.RLIM_INFINITY))
        cpu_s += math.ceil(time.process_time())
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, resource.RLIM_INFINITY))

    def _answer(self, message: dict[str, object], fd: int | None = None) -> None:
        content = [json.dumps(message).encode()]
        if fd is None:
            self._connection.sendmsg(content)
        else:
            socket.send_fds(self._connection, content, [fd])
            os.close(fd)


def _address_space_bytes() -> int:
    with open("/proc/self/statm") as file:  # noqa: PTH123  # pathlib is not needed for anything else here
        return int(file.read().split()[0]) * resource.getpagesize()


def _read_whole(fd: int) -> bytes:
    with open(fd, "rb") as file:  # closes it
        file.seek(0)
        return file.read()


def _share(*contents: memoryview | bytes) -> int:
    """Return the descriptor of memory that holds the contents, one after the other."""
    fd = os.memfd_create("samples", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    for content in contents:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(fd, rest) :]
    return fd


if __name__ == "__main__":
    run_fork_server(socket.socket(fileno=sys.stdin.fileno()), max_pixels=int(sys.argv[1]))
