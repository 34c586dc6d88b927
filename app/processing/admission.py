"""How many requests may be in work: each holds a place from before its body is read until its response."""

import asyncio
import math
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
    """Counts slots, and refuses requests when all are taken; to be used on one event loop."""

    def __init__(
        self, *, slots: int, patience_s: float = PATIENCE_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._slots = slots
        self._patience_s = patience_s
        self._clock = clock
        self._free_slots = slots
        self._waiting: dict[asyncio.Future[bool], None] = {}  # in their order
        self._finished: deque[float] = deque(maxlen=RATE_SAMPLE)  # when the last slot was taken, then who finished
        self.is_draining = False

    def refuse_if_draining(self) -> None:
        """Do nothing, or raise.

        Raises:
            NotReadyError: the service is draining.
        """
        if self.is_draining:
            raise NotReadyError("The service is shutting down.", retry_after_s=DRAINING_RETRY_AFTER_S)

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

    def give_back(self) -> None:
        """Take a slot back; Slot does it at the end of its block."""
        self._finished.append(self._clock())
        self._free_slot()

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

    def retry_after_s(self) -> int:
        """Return the whole seconds in which the slots in use drain."""
        return min(max(1, math.ceil(self._drain_s(self._slots - self._free_slots))), MAX_RETRY_AFTER_S)

    def _drain_s(self, count: int) -> float:
        """Seconds that ``count`` requests take to finish at the rate of the last ones; none yet counts as one, now."""
        if not self._finished:
            return 0.0
        return count * (self._clock() - self._finished[0]) / max(1, len(self._finished) - 1)

    def _full(self) -> QueueFullError:
        return QueueFullError(
            f"All {self._slots} places in the queue are taken.", limit=self._slots, retry_after_s=self.retry_after_s()
        )


def _end_wait(turn: "asyncio.Future[bool]") -> None:
    if not turn.done():
        turn.set_result(False)


class Slot:
    """One request's place."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

    def __enter__(self) -> Self:
        """Hold the place, which was taken when the slot was made."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the place back."""
        self._admission.give_back()
