"""The time within which a picture must be done: the more pixels it has, the longer."""

import asyncio
from types import TracebackType
from typing import Self

from app.errors import DeadlineExceededError

PIXELS_PER_MEGAPIXEL = 1_000_000


class Deadline:
    """Ends an ``async with`` block with DeadlineExceededError when its time is over; to be used once.

    Args:
        base_s: seconds from the start of the block; None for no deadline.
        per_megapixel_s: seconds more for each million pixels, once these are known.
    """

    def __init__(self, base_s: float | None, *, per_megapixel_s: float = 0) -> None:
        self._base_s = self._seconds = base_s
        self._per_megapixel_s = per_megapixel_s

    async def __aenter__(self) -> Self:
        """Start the time."""
        self._start_s = asyncio.get_running_loop().time()
        self._timeout = asyncio.timeout(self._base_s)
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the time.

        Raises:
            DeadlineExceededError: it was over.
        """
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError:
            raise DeadlineExceededError.after(self._seconds or 0) from None

    def extend_for(self, pixels: int) -> None:
        """Give a picture of so many pixels its time, unless the time is over already."""
        if self._base_s is not None and not self._timeout.expired():
            self._seconds = self._base_s + self._per_megapixel_s * pixels / PIXELS_PER_MEGAPIXEL
            self._timeout.reschedule(self._start_s + self._seconds)
