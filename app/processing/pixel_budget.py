"""Limit the pixels in memory at once, in all requests together."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self

from app.errors import QueueFullError

PIXEL_BUDGET = 2  # times max_pixels, so that one large picture can be decoded while another is denoised

Reserve = Callable[[int], Awaitable[None]]  # takes pixels from a budget, or raises


class PixelBudget:
    """Counts the pixels of the pictures in work; for use on one event loop.

    Args:
        pixels: how many may be in work at once.
        retry_after_s: estimates how many whole seconds a refused client should wait.
    """

    def __init__(self, pixels: int, *, retry_after_s: Callable[[], int] = lambda: 1) -> None:
        self.limit = self.free = pixels
        self.retry_after_s = retry_after_s
        self.released = asyncio.Event()


class Reservation:
    """The pixels that one picture holds until the end of a ``with`` block."""

    def __init__(self, budget: PixelBudget) -> None:
        self._budget = budget
        self.pixels = 0

    def __enter__(self) -> Self:
        """Hold what the block will reserve."""
        return self

    def __exit__(self, *_: object) -> None:
        """Free the pixels."""
        self._budget.free += self.pixels
        self._budget.released.set()

    async def reserve(self, pixels: int) -> None:
        """Reserve ``pixels`` at once.

        Raises:
            QueueFullError: the pictures in work leave no room for them.
        """
        budget = self._budget
        if pixels > budget.free:
            raise QueueFullError(
                f"The pictures in work leave no room for {pixels} more pixels; together they may have {budget.limit}.",
                limit=budget.limit,
                retry_after_s=budget.retry_after_s(),
            )
        self._take(pixels)

    async def wait_for(self, pixels: int) -> None:
        """Reserve ``pixels`` as soon as there is room."""
        while pixels > self._budget.free:
            self._budget.released.clear()
            await self._budget.released.wait()
        self._take(pixels)

    def _take(self, pixels: int) -> None:
        self._budget.free -= pixels
        self.pixels += pixels
