"""Denoise the many pictures of one request, a bounded number of them at a time."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from app.errors import NoImageError, QueueFullError
from app.inference.micro_batch import BATCH_SIZES
from app.processing.deadline import Deadline
from app.processing.picture import DenoisedPicture, Upload
from app.processing.pipeline import Process
from app.processing.pixel_budget import PixelBudget, Reservation
from app.telemetry.timing import StageTimer

STAGES = ("decode", "queue", "infer", "encode")  # "read" is missing: all files of a request are read together
GROUP = BATCH_SIZES[-1]  # pictures that go to the network together
WINDOW = 2 * GROUP  # pictures in work: the network has one group while the next is decoded
WINDOW_PIXELS = 2**22  # no picture is started while those in work have so many, so that other requests find room
OPENING_S = 0.05  # a decoder opens a file in less; what takes longer waits for room that the group may have


@dataclass(frozen=True)
class Outcome:
    """The result of one file, or the error that it failed with."""

    name: str
    result: DenoisedPicture | Exception


class Batch:
    """Denoises the files of one request with the same process, each before a ``deadline`` of its own."""

    def __init__(self, process: Process, pixel_budget: PixelBudget, *, deadline: Callable[[], Deadline]) -> None:
        self._process = process
        self._pixel_budget = pixel_budget
        self._deadline = deadline
        self._started: deque[_Item] = deque()
        self._pixels = 0  # of all started
        self._gate = asyncio.Event()

    async def denoise(self, files: Iterable[Upload]) -> AsyncGenerator[Outcome, None]:
        """Denoise files and yield the outcomes in their order.

        At most WINDOW files are started and not yet yielded, and no other is started while these have WINDOW_PIXELS:
        the caller's pace limits the work. Closing the iterator ends it.
        """
        try:
            for number, file in enumerate(files, 1):
                newest = self._start(file)
                await asyncio.sleep(0)  # decodes a small picture now, and gives other requests a turn
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

    def _start(self, file: Upload) -> "_Item":
        reserved: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        item = _Item(file.filename or "", reserved, asyncio.create_task(self._work(file, reserved, self._gate)))
        self._started.append(item)
        return item

    async def _work(
        self, file: Upload, reserved: "asyncio.Future[int]", gate: asyncio.Event
    ) -> DenoisedPicture | Exception:
        try:
            async with self._deadline() as deadline:
                return await self._denoise(file, deadline, reserved, gate)
        except Exception as error:  # a file fails alone
            return error

    async def _denoise(
        self, file: Upload, deadline: Deadline, reserved: "asyncio.Future[int]", gate: asyncio.Event
    ) -> DenoisedPicture:
        """Denoise one picture; if there is no room, it waits, while a single picture would be refused.

        It waits without a decoder, and is opened again when its pixels are reserved. Once decoded, it waits at ``gate``
        for the rest of its group, so that they share the network's next call.
        """
        if not file.data:
            raise NoImageError("The file is empty.")
        timer = StageTimer(STAGES)
        needed = 0
        with Reservation(self._pixel_budget) as reservation:

            async def reserve(pixels: int) -> None:
                nonlocal needed
                deadline.extend_for(pixels)
                needed = pixels - reservation.pixels
                if needed > 0:
                    await reservation.reserve(needed)
                if not reserved.done():
                    reserved.set_result(pixels)

            while True:
                try:
                    return await self._process.denoise(file, timer=timer, reserve=reserve, gate=gate)
                except QueueFullError:
                    await reservation.wait_for(needed)

    async def _wait_for(self, newest: "_Item") -> None:
        """Wait until ``newest`` has its pixels or has failed, or until the first outcome can be yielded."""
        signals: set[asyncio.Future[Any]] = {newest.reserved, newest.task}
        done, _ = await asyncio.wait(signals, timeout=OPENING_S, return_when=asyncio.FIRST_COMPLETED)
        if done:
            return
        self._let_group_pass()
        signals.add(self._started[0].task)
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
    reserved: "asyncio.Future[int]"  # the number of its pixels, once they are reserved
    task: "asyncio.Task[DenoisedPicture | Exception]"

    @property
    def has_begun(self) -> bool:
        """Whether its pixels are reserved, or it has failed."""
        return self.reserved.done() or self.task.done()

    @property
    def pixels(self) -> int:
        return self.reserved.result() if self.reserved.done() else 0
