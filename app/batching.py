"""A queue and one inference thread in front of a Denoiser: what waits while it is busy is the next batch."""

import asyncio
import queue
import threading
import time
from dataclasses import dataclass

import numpy as np

from app.denoiser import Denoiser
from app.errors import InferenceError
from app.images import FloatImage

BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)  # batches are padded to these, so that TensorFlow sees few shapes
MAX_BATCH_PIXELS = 2**18  # larger images gain nothing from company, and their memory would add up


@dataclass(frozen=True)
class Denoised:
    """A clean image, how many images shared the call, and the seconds it waited and was worked on."""

    image: FloatImage
    batch_size: int
    queue_s: float
    infer_s: float


@dataclass(frozen=True, eq=False)
class _Item:
    image: FloatImage
    future: "asyncio.Future[Denoised]"
    arrived: float


class Batcher:
    """Runs a Denoiser on its own thread; to be made, used and closed on one event loop.

    Whatever waits when the thread becomes free is its next batch. When it is free already, a batch starts as soon as
    the event loop has gone round once without a further image: requests that arrive together are cleaned together,
    and a lone one waits for nothing.

    The queue is bounded by who submits (see app.admission). Items whose future is done before their turn, because the
    client left or the deadline passed, are dropped before the network sees them.
    """

    def __init__(self, denoiser: Denoiser, *, name: str) -> None:
        self._denoiser = denoiser
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Item] = []
        self._is_free = True
        self._batches: queue.SimpleQueue[list[_Item] | None] = queue.SimpleQueue()
        self._drained = asyncio.Event()
        self._drained.set()
        self._thread = threading.Thread(target=self._run, name=f"inference {name}", daemon=True)
        self._thread.start()

    def submit(self, image: FloatImage) -> "asyncio.Future[Denoised]":
        """Queue one image, shape (H, W), to be cleaned together with whatever else is waiting.

        Returns:
            A future that fails with InferenceError if the network failed on the batch. End it in any way, by
            cancelling it for example, and the image is dropped.
        """
        future: asyncio.Future[Denoised] = self._loop.create_future()
        self._waiting.append(_Item(image, future, time.perf_counter()))
        if self._is_free:
            self._is_free = False
            self._drained.clear()
            self._loop.call_soon(self._start_when_quiet, len(self._waiting))
        return future

    async def close(self) -> None:
        """Finish what is queued and end the thread."""
        await self._drained.wait()
        self._batches.put(None)
        await asyncio.to_thread(self._thread.join)

    def _start_when_quiet(self, seen: int) -> None:
        if seen < len(self._waiting) < BATCH_SIZES[-1]:
            self._loop.call_soon(self._start_when_quiet, len(self._waiting))
        else:
            self._start_next()

    def _start_next(self) -> None:
        batch, self._waiting = _next_batch([item for item in self._waiting if not item.future.done()])
        if batch:
            self._batches.put(batch)
        else:
            self._is_free = True
            self._drained.set()

    def _run(self) -> None:
        while batch := self._batches.get():
            start = time.perf_counter()
            try:
                results = self._infer(batch, start)
            except Exception as error:  # whatever it is, it belongs to this batch; the thread lives on
                self._loop.call_soon_threadsafe(self._fail, batch, error)
            else:
                self._loop.call_soon_threadsafe(self._deliver, batch, results)

    def _infer(self, batch: list[_Item], start: float) -> list[Denoised]:
        images = np.zeros((_padded_size(len(batch)), *batch[0].image.shape), np.float32)
        for row, item in zip(images, batch, strict=False):
            row[...] = item.image
        denoised = self._denoiser.denoise(images)[: len(batch)]
        infer_s = time.perf_counter() - start
        return [
            Denoised(image, len(batch), start - item.arrived, infer_s)
            for image, item in zip(denoised, batch, strict=True)
        ]

    def _deliver(self, batch: list[_Item], results: list[Denoised]) -> None:
        self._start_next()  # first, so that the network works while these are encoded
        for item, result in zip(batch, results, strict=True):
            if not item.future.done():
                item.future.set_result(result)

    def _fail(self, batch: list[_Item], error: Exception) -> None:
        self._start_next()
        for item in batch:
            if not item.future.done():
                failure = InferenceError("The network failed on this image.")
                failure.__cause__ = error
                item.future.set_exception(failure)


def _next_batch(waiting: list[_Item]) -> tuple[list[_Item], list[_Item]]:
    """Split what waits into the next batch, of images as large as the first, and the rest in its order."""
    if not waiting:
        return [], []
    shape = waiting[0].image.shape
    room = min(BATCH_SIZES[-1], max(1, MAX_BATCH_PIXELS // (shape[0] * shape[1])))
    batch: list[_Item] = []
    rest: list[_Item] = []
    for item in waiting:
        fits = len(batch) < room and item.image.shape == shape
        (batch if fits else rest).append(item)
    return batch, rest


def _padded_size(count: int) -> int:
    return next(size for size in BATCH_SIZES if size >= count)
