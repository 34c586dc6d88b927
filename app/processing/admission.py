"""Limit the requests in work: each holds a slot from before its body is read until its response."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from typing import Self

from app.access.keyring import Caller
from app.errors import NotReadyError, QueueFullError, ShareExceededError

# A request that finds every slot taken waits at most PATIENCE_S, if LIKELY_SHARE of that would do at the current
# rate, and if fewer than MAX_WAITING times the slots wait.
PATIENCE_S = 0.06
LIKELY_SHARE = 0.8
MAX_WAITING = 2
MAX_RETRY_AFTER_S = 60
RATE_SAMPLE = 256  # the rate is measured over at most so many finished requests
DRAINING_RETRY_AFTER_S = 5  # time for another instance to take over


class Admission:
    """Counts slots, and refuses requests when all are taken; for use on one event loop.

    Requests wait in a line of its own, not on asyncio.Semaphore and asyncio.timeout, which are shorter: with these,
    goodput at 256 connections was 0.66 to 0.99 times as high, in the median of five pairs of runs 0.86.
    """

    def __init__(
        self, *, slots: int, patience_s: float = PATIENCE_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._slots = slots
        self._free_slots = slots
        self._waiting: dict[asyncio.Future[bool], None] = {}  # in their order
        self._patience_s = patience_s
        self._clock = clock
        self._finished: deque[float] = deque(maxlen=RATE_SAMPLE)  # when the slots ran out, then when requests finished
        self.is_draining = False

    def refuse_if_draining(self) -> None:
        """Refuse a request if the service is draining.

        Raises:
            NotReadyError: the service is draining.
        """
        if self.is_draining:
            raise NotReadyError("The service is shutting down.", retry_after_s=DRAINING_RETRY_AFTER_S)

    async def admit(self, caller: Caller | None = None) -> "Slot":
        """Take a slot for a ``with`` block, or wait a moment for one that is likely to become free.

        A small picture takes so little time that refusing its request and receiving it again would cost more.

        Args:
            caller: sent the request, and may have a share of the slots; None for one that may have all.

        Raises:
            NotReadyError: the service is draining.
            ShareExceededError: requests of the caller hold its share of the slots.
            QueueFullError: every slot is taken, and none became free in time.
        """
        self.refuse_if_draining()
        if caller is None:
            return await self._take_slot()
        limit = max(1, int(caller.max_share * self._slots))
        if caller.held >= limit:
            raise ShareExceededError(
                f"Requests with this key hold {limit} places, as many as it may have.",
                limit=limit,
                retry_after_s=self.retry_after_s(),
            )
        caller.held += 1
        try:
            slot = await self._take_slot()
        except BaseException:
            caller.held -= 1
            raise
        slot.caller = caller
        return slot

    async def _take_slot(self) -> "Slot":
        if self._free_slots:
            self._free_slots -= 1
            if self._free_slots == 0:
                self._finished.clear()
                self._finished.append(self._clock())
            return Slot(self)
        is_granted = self._is_turn_near() and await self._wait()
        if is_granted and self.is_draining:
            self._free_slot()
        self.refuse_if_draining()
        if not is_granted:
            raise self._full()
        return Slot(self)

    async def _wait(self) -> bool:
        """Wait in line; return whether a slot was handed over in time."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[bool] = loop.create_future()
        self._waiting[turn] = None
        timer = loop.call_later(self._patience_s, _end_wait, turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.result():  # it was handed over just before
                self._free_slot()
            raise
        finally:
            timer.cancel()
            self._waiting.pop(turn, None)

    def give_back(self) -> None:
        """Take back a slot; Slot calls this at the end of its block."""
        self._finished.append(self._clock())
        self._free_slot()

    def _free_slot(self) -> None:
        """Hand a slot to the request that has waited longest, or make it free."""
        turn = next((turn for turn in self._waiting if not turn.done()), None)
        if turn is None:
            self._free_slots += 1
        else:
            del self._waiting[turn]
            turn.set_result(True)

    def retry_after_s(self) -> int:
        """Return how many whole seconds the slots in use take to drain."""
        return min(max(1, math.ceil(self._drain_s(self._slots - self._free_slots))), MAX_RETRY_AFTER_S)

    def _is_turn_near(self) -> bool:
        """Return whether one more waiting request is likely to get a slot in time."""
        ahead = len(self._waiting)
        return ahead < MAX_WAITING * self._slots and self._drain_s(ahead + 1) <= LIKELY_SHARE * self._patience_s

    def _drain_s(self, count: int) -> float:
        """Return the seconds that ``count`` requests take at the current rate; until one finishes, as if it did now."""
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
    """The slot of one request."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.caller: Caller | None = None  # has it counted, too

    def __enter__(self) -> Self:
        """Hold the slot, which admit has taken."""
        return self

    def __exit__(self, *_: object) -> None:
        """Free the slot."""
        if self.caller is not None:
            self.caller.held -= 1
        self._admission.give_back()
