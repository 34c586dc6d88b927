"""The time within which a picture must be done: the more pixels it has, the longer."""

import asyncio
import math
from types import TracebackType
from typing import Self

from app.errors import DeadlineExceededError

PIXELS_PER_MEGAPIXEL = 1_000_000
MIN_EXTENSION = 0.01  # of the base: less is not worth setting the timer again, for each digit


class Stop:
    """The time of the event loop's clock by which all work must be done, since the service stops then."""

    def __init__(self) -> None:
        self.at_s = math.inf
        self.running: set[Deadline] = set()

    def set_in(self, seconds: float) -> None:
        """Let the service stop so many seconds from now; call it on the event loop."""
        self.at_s = asyncio.get_running_loop().time() + seconds
        for deadline in list(self.running):
            deadline.end_by(self.at_s)


class Deadline:
    """Ends an ``async with`` block with DeadlineExceededError when its time is over; to be used once.

    Args:
        base_s: seconds from the start of the block; None for no deadline.
        per_megapixel_s: seconds more for each million pixels, once these are known.
        stop: brings the deadline forward if the service stops.
    """

    def __init__(self, base_s: float | None, *, per_megapixel_s: float = 0, stop: "Stop | None" = None) -> None:
        self._base_s = self._seconds = base_s
        self._per_megapixel_s = per_megapixel_s
        self._stop = stop

    async def __aenter__(self) -> Self:
        """Start the time."""
        self._start_s = asyncio.get_running_loop().time()
        self._timeout = asyncio.timeout(self._base_s)
        await self._timeout.__aenter__()
        if self._stop:
            self._stop.running.add(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the time.

        Raises:
            DeadlineExceededError: it was over.
        """
        if self._stop:
            self._stop.running.discard(self)
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError:
            raise DeadlineExceededError.after(self._seconds or 0) from None

    def extend_for(self, pixels: int) -> None:
        """Give a picture of so many pixels its time, unless time is over; less than MIN_EXTENSION is not added."""
        if self._base_s is None or self._timeout.expired():
            return
        extension_s = self._per_megapixel_s * pixels / PIXELS_PER_MEGAPIXEL
        if extension_s > MIN_EXTENSION * self._base_s:
            self._seconds = self._base_s + extension_s
            self._timeout.reschedule(self._start_s + self._seconds)
        if self._stop:
            self.end_by(self._stop.at_s)

    def end_by(self, at_s: float) -> None:
        """Bring the end forward to a time of the event loop's clock, unless it comes earlier anyway."""
        end_s = self._timeout.when()
        if end_s is not None and end_s > at_s and not self._timeout.expired():
            self._seconds = max(0, round(at_s - self._start_s, 1))
            self._timeout.reschedule(at_s)
