"""Limit the pixels in memory at once, in all requests together."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from app.errors import QueueFullError

PIXEL_BUDGET = 2  # times max_pixels, so that one large picture can be decoded while another is denoised


class PixelBudget:
    """Counts the pixels of the pictures in work; for use on one event loop.

    Args:
        pixels: how many may be in work at once.
        retry_after_s: estimates how many whole seconds a refused client should wait.
    """

    def __init__(self, pixels: int, *, retry_after_s: Callable[[], int] = lambda: 1) -> None:
        self._limit = pixels
        self._free = pixels
        self._retry_after_s = retry_after_s
        self._released = asyncio.Event()

    def reservation(self) -> "Reservation":
        """Return a reservation that holds nothing yet."""
        return Reservation(self)

    def take(self, pixels: int) -> bool:
        """Take ``pixels`` if there is room, and return whether there was; Reservation calls this."""
        if has_room := pixels <= self._free:
            self._free -= pixels
        return has_room

    def give_back(self, pixels: int) -> None:
        """Take back ``pixels``; Reservation calls this."""
        self._free += pixels
        self._released.set()

    async def wait_for_release(self) -> None:
        """Wait until pixels are given back."""
        self._released.clear()
        await self._released.wait()

    def full(self, pixels: int) -> QueueFullError:
        """Return the error that refuses ``pixels``."""
        return QueueFullError(
            f"The pictures in work leave no room for one of {pixels} pixels; together they may have {self._limit}.",
            limit=self._limit,
            retry_after_s=self._retry_after_s(),
        )


class Reservation:
    """The pixels that one picture holds until the end of a ``with`` block."""

    def __init__(self, budget: PixelBudget) -> None:
        self._budget = budget
        self.pixels = 0

    def __enter__(self) -> Self:
        """Hold what the block will reserve."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free the pixels."""
        self._budget.give_back(self.pixels)
        self.pixels = 0

    async def reserve(self, pixels: int) -> None:
        """Reserve ``pixels`` at once.

        Raises:
            QueueFullError: the pictures in work leave no room for them.
        """
        if not self._budget.take(pixels):
            raise self._budget.full(pixels)
        self.pixels += pixels

    async def wait_for(self, pixels: int) -> None:
        """Reserve ``pixels`` as soon as there is room."""
        while not self._budget.take(pixels):
            await self._budget.wait_for_release()
        self.pixels += pixels
