"""Who may come in: a bounded number of requests, and of pixels that they hold."""

import asyncio
import math
import threading
import time
from collections import deque
from types import TracebackType
from typing import Self

from app.errors import NotReadyError, QueueFullError

MAX_RETRY_AFTER_S = 60
RATE_SAMPLE = 256  # finished requests that the drain rate is measured over
DRAINING_RETRY_AFTER_S = 5  # time for another instance to take over


class Admission:
    """Counts slots and pixels; refuses what does not fit, so that memory stays bounded under any load."""

    def __init__(self, *, slots: int, pixels: int) -> None:
        self._slots = slots
        self._pixels = pixels
        self._free_slots = slots
        self._free_pixels = pixels
        self._lock = threading.Lock()
        self._released = asyncio.Event()
        self._finished: deque[float] = deque(maxlen=RATE_SAMPLE)
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
        with self._lock:
            if self._free_slots == 0:
                msg = f"All {self._slots} places in the queue are taken."
                raise QueueFullError(msg, limit=self._slots, retry_after_s=self._retry_after_s())
            self._free_slots -= 1
        return Slot(self)

    def give_back(self, slot: "Slot") -> None:
        """Take a slot and its pixels back; Slot does it at the end of its block."""
        with self._lock:
            self._free_slots += 1
            self._finished.append(time.monotonic())
        self.release_pixels(slot)

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
        """Whole seconds in which the slots in use drain, at the rate of the requests that finished last."""
        if not self._finished:
            return 1
        rate = len(self._finished) / max(time.monotonic() - self._finished[0], 1e-3)
        return min(max(1, math.ceil((self._slots - self._free_slots) / rate)), MAX_RETRY_AFTER_S)


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
