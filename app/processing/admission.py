"""Who may come in: a bounded number of requests, and of pixels that they hold."""

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from app.errors import NotReadyError, QueueFullError

PATIENCE_S = 0.06  # a request without a place waits at most so long for one,
LIKELY_SHARE = 0.8  # only if this share of it would do at the rate of the requests that finished last,
MAX_WAITING = 2  # and only if fewer than this many times the places wait already
MAX_RETRY_AFTER_S = 60
RATE_SAMPLE = 256  # finished requests that the drain rate is measured over, at most
DRAINING_RETRY_AFTER_S = 5  # time for another instance to take over


class Admission:
    """Counts slots and pixels; refuses what does not fit, so that memory stays bounded under any load.

    Slots are taken and given back on one event loop, pixels in any thread.
    """

    def __init__(
        self, *, slots: int, pixels: int, patience_s: float = PATIENCE_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._slots = slots
        self._pixels = pixels
        self._patience_s = patience_s
        self._clock = clock
        self._free_slots = slots
        self._free_pixels = pixels
        self._lock = threading.Lock()
        self._released = asyncio.Event()
        self._waiting: dict[asyncio.Future[bool], None] = {}  # in their order
        self._finished: deque[float] = deque(maxlen=RATE_SAMPLE)  # when the last slot was taken, then who finished
        self.is_draining = False

    def refuse_if_draining(self) -> None:
        """Do nothing, or raise.

        Raises:
            NotReadyError: the service is draining.
        """
        if self.is_draining:
            msg = "The service is shutting down."
            raise NotReadyError(msg, retry_after_s=DRAINING_RETRY_AFTER_S)

    def slot(self) -> "Slot":
        """Take a slot, to be held for a ``with`` block.

        Raises:
            NotReadyError: the service is draining.
            QueueFullError: every slot is taken.
        """
        self.refuse_if_draining()
        if self._free_slots == 0:
            raise self._full()
        self._free_slots -= 1
        if self._free_slots == 0:
            self._finished.clear()
            self._finished.append(self._clock())
        return Slot(self)

    async def admit(self) -> "Slot":
        """Take a slot as ``slot`` does, or wait a moment for one that is about to be free.

        What a small picture takes is so short that refusing, and being asked again, would cost more than waiting.

        Raises:
            NotReadyError: the service is draining.
            QueueFullError: every slot is taken, and none became free in time.
        """
        if self._free_slots or not self._is_turn_near():
            return self.slot()
        self.refuse_if_draining()
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[bool] = loop.create_future()
        self._waiting[turn] = None
        timer = loop.call_later(self._patience_s, _end_wait, turn)
        try:
            is_granted = await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.result():  # it was handed over just before
                self._free_slot()
            raise
        finally:
            timer.cancel()
            self._waiting.pop(turn, None)
        if is_granted and not self.is_draining:
            return Slot(self)
        if is_granted:
            self._free_slot()
        self.refuse_if_draining()
        raise self._full()

    def give_back(self, slot: "Slot") -> None:
        """Take a slot and its pixels back; Slot does it at the end of its block."""
        self._finished.append(self._clock())
        self._free_slot()
        self.release_pixels(slot)

    def _free_slot(self) -> None:
        """Hand a slot to who waits longest, or make it free."""
        turn = next((turn for turn in self._waiting if not turn.done()), None)
        if turn is None:
            self._free_slots += 1
        else:
            del self._waiting[turn]
            turn.set_result(True)

    def _is_turn_near(self) -> bool:
        """Whether the next one to wait is likely to get a slot before it is refused."""
        ahead = len(self._waiting)
        return ahead < MAX_WAITING * self._slots and self._drain_s(ahead + 1) <= LIKELY_SHARE * self._patience_s

    def reserve_pixels(self, slot: "Slot", pixels: int) -> None:
        """Take ``pixels`` for a slot, which gives them back when it ends; see Slot.reserve_pixels."""
        if not self._take_pixels(slot, pixels):
            msg = f"The images in work leave no room for one of {pixels} pixels; together they may have "
            msg += f"{self._pixels}."
            raise QueueFullError(msg, limit=self._pixels, retry_after_s=self._retry_after_s())

    async def wait_for_pixels(self, slot: "Slot", pixels: int) -> None:
        """Take ``pixels`` for a slot as soon as there is room."""
        while not self._take_pixels(slot, pixels):
            self._released.clear()
            await self._released.wait()

    def release_pixels(self, slot: "Slot") -> None:
        """Take back all pixels of a slot."""
        with self._lock:
            self._free_pixels += slot.pixels
            slot.pixels = 0
        self._released.set()

    def _take_pixels(self, slot: "Slot", pixels: int) -> bool:
        with self._lock:
            if has_room := pixels <= self._free_pixels:
                self._free_pixels -= pixels
                slot.pixels += pixels
            return has_room

    def _retry_after_s(self) -> int:
        """Whole seconds in which the slots in use drain."""
        return min(max(1, math.ceil(self._drain_s(self._slots - self._free_slots))), MAX_RETRY_AFTER_S)

    def _drain_s(self, count: int) -> float:
        """Seconds that ``count`` requests take to finish at the rate of the last ones; none yet counts as one, now."""
        if not self._finished:
            return 0.0
        return count * (self._clock() - self._finished[0]) / max(1, len(self._finished) - 1)

    def _full(self) -> QueueFullError:
        msg = f"All {self._slots} places in the queue are taken."
        return QueueFullError(msg, limit=self._slots, retry_after_s=self._retry_after_s())


def _end_wait(turn: "asyncio.Future[bool]") -> None:
    if not turn.done():
        turn.set_result(False)


class Slot:
    """One request's place, and the pixels that it holds."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.pixels = 0

    def __enter__(self) -> Self:
        """Hold the place, which was taken when the slot was made."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the place back."""
        self._admission.give_back(self)

    def reserve_pixels(self, pixels: int) -> None:
        """Reserve ``pixels`` until the slot ends.

        Raises:
            QueueFullError: the images in work hold too many pixels already.
        """
        self._admission.reserve_pixels(self, pixels)

    def share(self) -> "Share":
        """Make room for one picture of a request with many; to be released when its work is done."""
        return Share(self._admission)


class Share(Slot):
    """The pixels of one picture of a request with many.

    Attributes:
        reserved: ends with the number of pixels as soon as they are reserved.
    """

    def __init__(self, admission: Admission) -> None:
        super().__init__(admission)
        self.reserved: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._refused = 0

    def reserve_pixels(self, pixels: int) -> None:
        """Reserve ``pixels``, unless they have been waited for; see Slot.reserve_pixels."""
        if not self.reserved.done():
            self._refused = pixels
            super().reserve_pixels(pixels)
            self.reserved.set_result(pixels)

    async def wait_for_pixels(self) -> None:
        """Reserve the pixels that were refused, as soon as there is room."""
        await self._admission.wait_for_pixels(self, self._refused)
        self.reserved.set_result(self._refused)

    def release(self) -> None:
        """Give the pixels back."""
        self._admission.release_pixels(self)
