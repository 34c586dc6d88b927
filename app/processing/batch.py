"""Many pictures of one request on their way to the network and back, a bounded number of them at a time."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from typing import Any

from app.errors import DeadlineExceededError, NoImageError, QueueFullError
from app.inference.batching import BATCH_SIZES, Batcher
from app.inference.metadata import ModelMetadata
from app.processing.admission import Share, Slot
from app.processing.options import Options
from app.processing.picture import Picture
from app.processing.pipeline import Pipeline
from app.telemetry.timing import StageTimer
from app.web.requests.multipart import Part
from app.web.responses.picture import Answer

GROUP = BATCH_SIZES[-1]  # pictures that are sent to the network together
WINDOW = 2 * GROUP  # pictures in work: while the network has one group, the next is decoded
WINDOW_PIXELS = 2**22  # further pictures wait while those in work have so many, which leaves room for other requests
RETRY_AFTER_S = 1


@dataclass(frozen=True)
class Outcome:
    """What became of one file."""

    name: str
    result: Answer | Exception


@dataclass(frozen=True)
class Process:
    """What every picture of a batch goes through."""

    pipeline: Pipeline
    batcher: Batcher
    model: ModelMetadata
    options: Options


async def denoise_item(file: Part, process: Process, share: Share, gate: asyncio.Event) -> Answer:
    """Denoise one picture of a batch; it waits for room where a picture that comes alone is refused.

    Decoded, it waits at ``gate`` for the others of its group: together they are the network's next call.

    Raises:
        DenoiserError: the picture cannot be denoised.
    """
    if not file.content:
        msg = "The file is empty."
        raise NoImageError(msg)
    timer = StageTimer()
    with timer.stage("decode"):
        picture = await _decode(bytes(file.content), process, share)
    await gate.wait()
    waiting = process.pipeline.submit(picture, process.options, model=process.model, batcher=process.batcher)
    denoised = await waiting
    timer.add("queue", seconds=denoised.queue_s)
    timer.add("infer", seconds=denoised.infer_s)
    with timer.stage("encode"):
        encoded = await process.pipeline.encode(denoised, picture, process.options)
    milliseconds = timer.milliseconds()
    del milliseconds["read"]  # all files of a request are read together
    return Answer(encoded, picture, process.model, denoised.batch_size, milliseconds, file.filename)


async def _decode(data: bytes, process: Process, share: Share) -> Picture:
    try:
        return await process.pipeline.decode(data, process.options, slot=share)
    except QueueFullError:
        await share.wait_for_pixels()
        return await process.pipeline.decode(data, process.options, slot=share)


class Batch:
    """The files of one request: all go through the same process, each for at most ``timeout_s`` seconds."""

    def __init__(self, process: Process, slot: Slot, *, timeout_s: float | None) -> None:
        self._process = process
        self._slot = slot
        self._timeout_s = timeout_s
        self._started: deque[_Item] = deque()
        self._pixels = 0  # of those
        self._gate = asyncio.Event()

    async def denoise(self, files: Iterable[Part]) -> AsyncGenerator[Outcome, None]:
        """Denoise files and hand them out in their order.

        At most WINDOW of them are started and not yet handed out, and no further one is started while these have
        WINDOW_PIXELS: what nobody takes is not made. Closing the iterator ends the work.
        """
        try:
            for number, file in enumerate(files, 1):
                newest = self._start(file)
                await asyncio.sleep(0)  # a small picture is decoded now; others have their turn before the next one
                while not newest.has_begun:
                    await self._wait_for(newest)
                    while self._is_front_done():
                        yield await self._hand_out()
                self._pixels += newest.pixels
                if number % GROUP == 0 or self._is_full():
                    self._let_group_pass()
                    while self._is_full() or self._is_front_done():
                        yield await self._hand_out()
            self._let_group_pass()
            while self._started:
                yield await self._hand_out()
        finally:
            await self._stop()

    def _start(self, file: Part) -> "_Item":
        share = self._slot.share()
        task = asyncio.create_task(self._work(file, share, self._gate))
        item = _Item(file.filename or "", share, task)
        self._started.append(item)
        return item

    async def _work(self, file: Part, share: Share, gate: asyncio.Event) -> Answer | Exception:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await denoise_item(file, self._process, share, gate)
        except TimeoutError:
            msg = f"The picture could not be denoised within {self._timeout_s:g} seconds."
            return DeadlineExceededError(msg, retry_after_s=RETRY_AFTER_S)
        except Exception as error:  # a file fails alone
            return error
        finally:
            share.release()

    async def _wait_for(self, newest: "_Item") -> None:
        """Wait until ``newest`` has its pixels or has failed, or the first can be handed out."""
        self._let_group_pass()
        signals: set[asyncio.Future[Any]] = {newest.share.reserved, newest.task, self._started[0].task}
        await asyncio.wait(signals, return_when=asyncio.FIRST_COMPLETED)

    def _let_group_pass(self) -> None:
        self._gate.set()
        self._gate = asyncio.Event()

    def _is_front_done(self) -> bool:
        return bool(self._started) and self._started[0].task.done()

    def _is_full(self) -> bool:
        return bool(self._started) and (len(self._started) >= WINDOW or self._pixels >= WINDOW_PIXELS)

    async def _hand_out(self) -> Outcome:
        result = await self._started[0].task
        item = self._started.popleft()
        self._pixels -= item.pixels
        return Outcome(item.name, result)

    async def _stop(self) -> None:
        tasks = [item.task for item in self._started]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(frozen=True, eq=False)
class _Item:
    name: str
    share: Share
    task: "asyncio.Task[Answer | Exception]"

    @property
    def has_begun(self) -> bool:
        """Whether it has its pixels, or has failed."""
        return self.share.reserved.done() or self.task.done()

    @property
    def pixels(self) -> int:
        return self.share.reserved.result() if self.share.reserved.done() else 0
