"""Limit the requests in work: each holds a slot from before its body is read until its response."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from app.errors import NotReadyError, QueueFullError

# A request that finds every slot taken waits at most PATIENCE_S, if LIKELY_SHARE of that would do at the current
# rate, and if fewer than MAX_WAITING times the slots wait.
PATIENCE_S = 0.06
LIKELY_SHARE = 0.8
MAX_WAITING = 2
MAX_RETRY_AFTER_S = 60
RATE_SAMPLE = 256  # the rate is measured over at most so many finished requests
DRAINING_RETRY_AFTER_S = 5  # time for another instance to take over


class Admission:
    """Counts slots, and refuses requests when all are taken; for use on one event loop."""

    def __init__(
        self, *, slots: int, patience_s: float = PATIENCE_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._slots = slots
        self._free = asyncio.Semaphore(slots)
        self._taken = 0
        self._waiting = 0
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

    async def admit(self) -> "Slot":
        """Take a slot for a ``with`` block, or wait a moment for one that is likely to become free.

        A small picture takes so little time that refusing its request and receiving it again would cost more.

        Raises:
            NotReadyError: the service is draining.
            QueueFullError: every slot is taken, and none became free in time.
        """
        self.refuse_if_draining()
        if not self._free.locked():
            await self._free.acquire()  # does not wait
            if self._free.locked():
                self._finished.clear()
                self._finished.append(self._clock())
        elif self._is_turn_near():
            await self._wait()
        else:
            raise self._full()
        self._taken += 1
        return Slot(self)

    async def _wait(self) -> None:
        self._waiting += 1
        try:
            async with asyncio.timeout(self._patience_s):
                await self._free.acquire()
        except TimeoutError:
            self.refuse_if_draining()
            raise self._full() from None
        finally:
            self._waiting -= 1
        if self.is_draining:
            self._free.release()
            self.refuse_if_draining()

    def give_back(self) -> None:
        """Take back a slot; Slot calls this at the end of its block."""
        self._finished.append(self._clock())
        self._taken -= 1
        self._free.release()

    def retry_after_s(self) -> int:
        """Return how many whole seconds the slots in use take to drain."""
        return min(max(1, math.ceil(self._drain_s(self._taken))), MAX_RETRY_AFTER_S)

    def _is_turn_near(self) -> bool:
        """Return whether one more waiting request is likely to get a slot in time."""
        is_short = self._waiting < MAX_WAITING * self._slots
        return is_short and self._drain_s(self._waiting + 1) <= LIKELY_SHARE * self._patience_s

    def _drain_s(self, count: int) -> float:
        """Return the seconds that ``count`` requests take at the current rate; until one finishes, as if it did now."""
        if not self._finished:
            return 0.0
        return count * (self._clock() - self._finished[0]) / max(1, len(self._finished) - 1)

    def _full(self) -> QueueFullError:
        return QueueFullError(
            f"All {self._slots} places in the queue are taken.", limit=self._slots, retry_after_s=self.retry_after_s()
        )


class Slot:
    """The slot of one request."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

    def __enter__(self) -> Self:
        """Hold the slot, which admit has taken."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free the slot."""
        self._admission.give_back()
