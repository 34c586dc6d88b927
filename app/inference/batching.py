"""A queue in front of a Denoiser: what waits while the network is busy is the next micro-batch."""

import asyncio
import queue
import threading
import time
from bisect import insort
from collections.abc import Sequence
from operator import attrgetter

from app.errors import InferenceError
from app.imaging.samples import FloatImage
from app.inference.denoiser import Denoiser
from app.inference.metadata import ModelMetadata
from app.inference.micro_batch import (
    AT_ONCE,
    BATCH_SIZES,
    Denoised,
    Item,
    Turn,
    pad_size,
    stack_images,
    stack_noise_levels,
    take_batch,
)

EAGER_BATCH = 16  # so many are worth a call even if more may come; measured
MAX_SHAPES = 16  # that one thread sees; measured, see docs/decisions/0016-inference-threads-are-renewed.md


class Batcher:
    """Runs a Denoiser on threads of its own, or on the event loop; create, use and close it on one event loop.

    Whatever waits when a thread becomes free is its next micro-batch. While a thread is free, a micro-batch starts as
    soon as one turn of the event loop brings no further image, or EAGER_BATCH images wait: requests that arrive
    together are denoised together, a single one waits for nothing, and of many, the thread denoises the first while
    the loop decodes the rest.

    Tiles of the picture that has the fewest left come first, and of equal ones those that began first. So a picture is
    finished before the next one of its size begins, and small ones pass by large ones
    (docs/decisions/0024-pictures-that-began-are-finished-first.md).

    Callers bound the queue (see app.processing.admission). Images whose futures are done before their turn, because
    the client left or the deadline passed, are dropped before the network sees them.

    Where no core is left for a thread, a short call runs on the event loop: a thread would only take turns with it
    (docs/decisions/0030-short-calls-on-the-event-loop.md).

    TensorFlow compiles convolutions for each shape of their input and keeps them for as long as the thread lives. So a
    thread that has seen MAX_SHAPES shapes is replaced by another.

    Args:
        denoiser: the network.
        name: part of the threads' names.
        threads: how many calls may run at once.
        pads: whether micro-batches are padded to BATCH_SIZES, which pays if all images have one small size.
        runs_on_loop: whether calls run on the event loop, with EAGER_BATCH images at most. Then there is no thread, and
            results are handed out before the next call.
    """

    def __init__(
        self, denoiser: Denoiser, *, name: str, threads: int = 1, pads: bool = True, runs_on_loop: bool = False
    ) -> None:
        self._denoiser = denoiser
        self._pads = pads
        self._runs_on_loop = runs_on_loop
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Item] = []
        self._name = name
        self._count = self._free = threads
        self._is_gathering = False
        self._batches: queue.SimpleQueue[list[Item] | None] = queue.SimpleQueue()
        self._drained = asyncio.Event()
        self._drained.set()
        self._threads: list[threading.Thread] = []
        for number in range(0 if runs_on_loop else threads):
            self._add_thread(number)

    @property
    def threads(self) -> int:
        """How many calls may run at once."""
        return self._count

    def submit(
        self, image: FloatImage, noise_level: float | None = None, *, turn: Turn = AT_ONCE
    ) -> "asyncio.Future[Denoised]":
        """Queue one image, shape (H, W, C), to be denoised together with what else is waiting.

        Args:
            image: a picture, or a tile of one.
            noise_level: in [0, 1] units, for networks that take one.
            turn: what is less comes first, and what is equal in the order of the calls.

        Returns:
            A future that fails with InferenceError if the network failed on the micro-batch. If the caller cancels it
            or sets its result or exception, the image is dropped.
        """
        future: asyncio.Future[Denoised] = self._loop.create_future()
        item = Item(image, noise_level, future, time.perf_counter(), turn)
        insort(self._waiting, item, key=attrgetter("turn"))
        self._drained.clear()
        if self._free and len(self._waiting) >= EAGER_BATCH:
            self._start_next()
        elif self._free and not self._is_gathering:
            self._is_gathering = True
            self._loop.call_soon(self._start_when_quiet, len(self._waiting))
        return future

    async def close(self) -> None:
        """Finish what is queued, and end the threads."""
        await self._drained.wait()
        for _ in range(self._count):
            self._batches.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _start_when_quiet(self, seen: int) -> None:
        if seen < len(self._waiting) < BATCH_SIZES[-1]:
            self._loop.call_soon(self._start_when_quiet, len(self._waiting))
        else:
            self._is_gathering = False
            self._start_next()

    def _start_next(self) -> None:
        """Hand each free thread, or the event loop, a micro-batch, as long as images wait."""
        while self._free:
            waiting = [item for item in self._waiting if not item.future.done()]
            batch, self._waiting = take_batch(waiting, EAGER_BATCH if self._runs_on_loop else BATCH_SIZES[-1])
            if not batch:
                break
            self._free -= 1
            if self._runs_on_loop:
                self._loop.call_soon(self._run_on_loop, batch)
            else:
                self._batches.put(batch)
        if self._free == self._count and not self._is_gathering:
            self._drained.set()

    def _add_thread(self, number: int) -> None:
        """Start a thread; forget those that have ended."""
        thread = threading.Thread(
            target=self._run, args=(number,), name=f"inference {self._name} {number}", daemon=True
        )
        self._threads = [*(started for started in self._threads if started.is_alive()), thread]
        thread.start()

    def _run(self, number: int) -> None:
        shapes: set[tuple[int, ...]] = set()
        while len(shapes) < MAX_SHAPES and (batch := self._batches.get()):
            shapes.add((pad_size(len(batch)) if self._pads else len(batch), *batch[0].image.shape))
            if len(shapes) == MAX_SHAPES:  # before the results are delivered, after which the queue may be closed
                self._loop.call_soon_threadsafe(self._add_thread, number)
            self._loop.call_soon_threadsafe(self._deliver, batch, self._call_network(batch))

    def _run_on_loop(self, batch: list[Item]) -> None:
        self._deliver(batch, self._call_network(batch))

    def _call_network(self, batch: list[Item]) -> Sequence[Denoised | InferenceError]:
        """Return the result of each image, or an error of its own."""
        try:
            return self._infer(batch)
        except Exception as error:  # fails only this micro-batch
            return [_describe_failure(error) for _ in batch]

    def _infer(self, batch: list[Item]) -> list[Denoised]:
        start = time.perf_counter()
        count = pad_size(len(batch)) if self._pads else len(batch)
        images = stack_images(batch, count)
        denoised = self._denoiser.denoise(images, stack_noise_levels(batch, count))[: len(batch)]
        infer_s = time.perf_counter() - start
        return [
            Denoised(len(batch), start - item.arrived, infer_s, image)
            for image, item in zip(denoised, batch, strict=True)
        ]

    def _deliver(self, batch: list[Item], results: Sequence[Denoised | InferenceError]) -> None:
        self._free += 1
        if not self._runs_on_loop:
            self._start_next()  # first, so that the network works while these are encoded
        for item, result in zip(batch, results, strict=True):
            if item.future.done():
                continue
            if isinstance(result, InferenceError):
                item.future.set_exception(result)
            else:
                item.future.set_result(result)
        if self._runs_on_loop:
            self._start_next()  # last, so that these are encoded before the loop is busy again


def _describe_failure(cause: Exception) -> InferenceError:
    failure = InferenceError("The network failed on this image.")
    failure.__cause__ = cause
    return failure


def create_batcher(denoiser: Denoiser, metadata: ModelMetadata, *, threads: int, runs_on_loop: bool = False) -> Batcher:
    """Create the queue of a network: images of a fixed size share calls, tiles of pictures of any size share threads.

    ``threads`` is how many tiles are denoised at once; ``runs_on_loop`` is that of Batcher.
    """
    is_fixed = metadata.input.size is not None
    name = f"{metadata.name}/{metadata.version}"
    return Batcher(denoiser, name=name, threads=1 if is_fixed else threads, pads=is_fixed, runs_on_loop=runs_on_loop)
