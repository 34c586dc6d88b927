"""Decode pictures apart from the server: in processes with limits, which can be killed at any moment."""

import asyncio
import fcntl
import json
import logging
import mmap
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from math import prod
from typing import Any, Protocol, Self

import numpy as np

from app.cpu_quota import available_cpus
from app.errors import ImageTooLargeError, InvalidImageError, NotReadyError, RequestError, UnsupportedFormatError
from app.imaging.decode import DecodedImage
from app.imaging.icc_profile import MAX_PROFILE_BYTES
from app.imaging.placement import Size
from app.imaging.samples import Samples
from app.processing.fork_server import ForkServer
from app.processing.options import Choice, Options
from app.processing.pixel_budget import Reserve

BYTES_PER_PIXEL = 8  # a colour profile counts as so many pixels as would take its memory

# Of such pictures, all but one of the decoders may work on at once: there is always one that is free soon.
LARGE_BYTES = 2**20
LARGE_PIXELS = 2**22

MAX_MESSAGE_BYTES = 2**16
WRITE_BYTES = 2**21  # of an upload at a time, a millisecond
ERRORS: dict[str, type[RequestError]] = {
    kind.__name__: kind for kind in (ImageTooLargeError, InvalidImageError, UnsupportedFormatError)
}
DTYPES: dict[str, np.dtype[np.uint8 | np.uint16 | np.float32]] = {
    name: np.dtype(name) for name in ("uint8", "uint16", "float32")
}

logger = logging.getLogger(__name__)


class ImageDecoder(Protocol):
    """Decodes what may be anything."""

    async def decode(self, data: bytes, *, choice: Choice, reserve: Reserve) -> tuple[DecodedImage, Options]:
        """Decode as app.imaging.decode does, with the options for the size of the image, which are returned, too.

        ``reserve`` reserves the pixels before they are decoded, or raises.

        Raises:
            RequestError: see open_image and decode_image; InvalidImageError, too, where the file needs more memory
                or processor time than a picture of its size should, or crashes its decoder.
        """
        ...


class Decoders:
    """Processes that decode pictures, one at a time each; to be used on one event loop, for an ``async with`` block.

    Cancelling a call of decode kills its process. One that ends is replaced.

    Args:
        count: of processes, at least 2; by default, the CPU quota.
        max_pixels: the largest picture.
    """

    def __init__(self, count: int | None, *, max_pixels: int) -> None:
        count = count or max(2, available_cpus())
        self._fork_server = ForkServer(max_pixels)
        self._decoders = [_Decoder(self._fork_server) for _ in range(count)]
        self._idle: asyncio.LifoQueue[_Decoder] = asyncio.LifoQueue()  # the one with warm caches first
        self._large = asyncio.Semaphore(count - 1)

    async def __aenter__(self) -> Self:
        """Begin to start the processes."""
        for decoder in self._decoders:
            decoder.start()
            self._idle.put_nowait(decoder)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Kill all of them."""
        for decoder in self._decoders:
            decoder.stop()
        self._fork_server.stop()

    async def decode(self, data: bytes, *, choice: Choice, reserve: Reserve) -> tuple[DecodedImage, Options]:
        """See ImageDecoder."""
        is_large = len(data) > LARGE_BYTES
        while True:
            async with self._large if is_large else nullcontext(), self._lend() as decoder:
                header = await decoder.open(data)
                options = choice.for_size(header.size)
                if is_large or header.pixels <= LARGE_PIXELS:
                    profile_pixels = header.profile_bytes // BYTES_PER_PIXEL if options.keeps_color else 0
                    await reserve(header.pixels + profile_pixels)
                    samples, profile = await decoder.decode(backdrop=options.backdrop, keeps_color=options.keeps_color)
                    return DecodedImage(header.format, samples, profile), options
            is_large = True  # few bytes, many pixels: it has to wait for its turn, and is opened again

    @asynccontextmanager
    async def _lend(self) -> AsyncIterator["_Decoder"]:
        decoder = await self._idle.get()
        try:
            with decoder:
                yield decoder
        finally:
            self._idle.put_nowait(decoder)


@dataclass(frozen=True)
class _Header:
    """What a decoder says of an image that it has opened."""

    format: str
    size: Size
    profile_bytes: int

    @property
    def pixels(self) -> int:
        return prod(self.size)


class _Decoder:
    """One process, and after its end the next one; it is used within a ``with`` block."""

    def __init__(self, fork_server: ForkServer) -> None:
        self._fork_server = fork_server
        self._is_stopped = self._is_in_use = False

    def start(self) -> None:
        """Begin to start a process."""
        loop = asyncio.get_running_loop()
        self._has_ended = self._holds_image = False
        self._process: asyncio.Future[int | None] = loop.create_future()  # its descriptor; None if it cannot start
        self._answer: asyncio.Future[tuple[dict[str, Any], list[int]]] | None = None
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._connection.setblocking(False)
        with theirs:
            self._fork_server.fork(theirs)
        loop.add_reader(self._connection, self._receive)

    def stop(self) -> None:
        """Kill the process for good; what it works on fails."""
        self._is_stopped = True
        self._end()
        self._close()

    async def wait_until_ready(self) -> None:
        """Wait for the process to start.

        Raises:
            NotReadyError: it cannot.
        """
        if self._has_ended and not self._is_stopped:
            self._close()
            self.start()
        if await asyncio.shield(self._process) is None:
            raise NotReadyError("No process can be started that decodes pictures.", retry_after_s=1)

    def __enter__(self) -> Self:
        """Begin to use it."""
        self._is_in_use = True
        return self

    def __exit__(self, *_: object) -> None:
        """Make it ready for the next picture; a process that still works on this one is killed and replaced."""
        self._is_in_use = False
        if self._answer is not None or self._has_ended:
            self._replace()
        elif self._holds_image:
            self._holds_image = False
            with suppress(OSError):  # it has ended just now
                self._connection.send(b"{}")  # it may forget it

    async def open(self, data: bytes) -> "_Header":
        """Read what the image will take."""
        await self.wait_until_ready()
        message, _ = await self._ask({}, upload=data)
        self._holds_image = True
        height, width = message["size"]
        self._header = _Header(
            str(message["format"]),
            (max(1, int(height)), max(1, int(width))),
            min(int(message["profile_bytes"]), MAX_PROFILE_BYTES),
        )
        return self._header

    async def decode(self, *, backdrop: float, keeps_color: bool) -> tuple[Samples, bytes | None]:
        """Decode what was opened; return the samples, and their colour profile if they have one."""
        self._holds_image = False
        message, fds = await self._ask({"backdrop": backdrop, "keeps_color": keeps_color})
        memory = _map(fds[0])
        dtype, shape = DTYPES[message["dtype"]], message["shape"]
        samples = np.frombuffer(memory, dtype, prod(shape)).reshape(shape)
        if prod(samples.shape[:2]) != self._header.pixels:
            raise InvalidImageError("The image has not as many pixels as its header says.")
        profile = memory[samples.nbytes : samples.nbytes + self._header.profile_bytes]
        return samples, profile or None

    async def _ask(self, command: dict[str, float], *, upload: bytes | None = None) -> tuple[dict[str, Any], list[int]]:
        fd = None if upload is None else await _store(upload)
        try:
            if self._has_ended:
                raise _unlike_its_size()
            self._answer = answer = asyncio.get_running_loop().create_future()
            with suppress(OSError):  # it has ended just now, which the answer will say
                socket.send_fds(self._connection, [json.dumps(command).encode()], [] if fd is None else [fd])
        finally:
            if fd is not None:
                os.close(fd)
        message, fds = await answer
        self._answer = None
        if "error" in message:
            raise ERRORS[message["error"]](message["detail"], limit=message["limit"], names=message["names"])
        return message, fds

    def _receive(self) -> None:
        """Take a message, which is small enough to come in one piece, or the end."""
        try:
            content, fds, *_ = socket.recv_fds(self._connection, MAX_MESSAGE_BYTES, 1)
        except BlockingIOError:
            return
        except ConnectionError:
            content, fds = b"", []
        if not content:
            self._end()
            if not self._is_in_use and self._process.result() is not None:  # else the next picture tries again
                self._replace()
        elif not self._process.done():
            self._process.set_result(fds[0])
        elif self._answer is not None and not self._answer.done():
            self._answer.set_result((json.loads(content), fds))
        else:
            for fd in fds:
                os.close(fd)

    def _end(self) -> None:
        """Note that the process has ended, or will."""
        if self._has_ended:
            return
        self._has_ended = True
        asyncio.get_running_loop().remove_reader(self._connection)
        if not self._process.done():
            self._process.set_result(None)
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(_unlike_its_size())

    def _replace(self) -> None:
        self._end()
        self._close()
        if not self._is_stopped:
            logger.warning("a decoder has ended, or was killed; starting another")
            self.start()

    def _close(self) -> None:
        process = self._process.result()
        is_closed = self._connection.fileno() < 0
        self._connection.close()
        if process is not None and not is_closed:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(process, signal.SIGKILL)
            os.close(process)


def _unlike_its_size() -> InvalidImageError:
    return InvalidImageError("The image needs more memory or time than a picture of its size should.")


async def _store(data: bytes) -> int:
    """Return the descriptor of memory that holds a copy; other requests have their turn while it is made."""
    fd = os.memfd_create("upload")
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[os.write(fd, rest[:WRITE_BYTES]) :]
            await asyncio.sleep(0)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _map(fd: int) -> mmap.mmap:
    """Map what a decoder has written, without a copy."""
    try:
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)  # reading what was cut off would end this process
        return mmap.mmap(fd, 0, prot=mmap.PROT_READ)
    finally:
        os.close(fd)
