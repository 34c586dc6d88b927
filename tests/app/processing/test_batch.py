"""How many pictures of one request are in work at once."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager

import numpy as np
import pytest

from app.inference.batching import Batcher
from app.inference.denoiser import Denoiser
from app.processing.batch import WINDOW, WINDOW_PIXELS, Batch, Outcome
from app.processing.options import Options
from app.processing.picture import Upload
from app.processing.pipeline import Process
from app.processing.pixel_budget import PixelBudget
from tests.app.fakes import GatedDenoiser, IdentityDenoiser, InProcessDecoder, make_metadata
from tests.app.pictures import encode, ring

pytestmark = pytest.mark.anyio

PICTURE = encode(ring())
MAX_PIXELS = 40_000_000

Start = Callable[["Files"], AsyncGenerator[Outcome, None]]


class Files:
    """Files that count how many of them were taken, and how many of those were in work at once."""

    def __init__(self, pictures: list[bytes]) -> None:
        self._pictures = pictures
        self.taken = self.handed_out = self.most_in_work = 0

    def __iter__(self) -> Iterator[Upload]:
        for picture in self._pictures:
            self.taken += 1
            self.most_in_work = max(self.most_in_work, self.taken - self.handed_out)
            yield Upload(memoryview(picture), "a.png")


@asynccontextmanager
async def batches(denoiser: Denoiser) -> AsyncIterator[Start]:
    batcher = Batcher(denoiser, name="test")
    with ThreadPoolExecutor(1) as pool:
        process = Process(pool, InProcessDecoder(), MAX_PIXELS, batcher, Options(make_metadata()))
        yield lambda files: Batch(process, PixelBudget(2 * MAX_PIXELS), timeout_s=10).denoise(files)
        await batcher.close()


async def test_work_is_at_most_a_window_ahead_of_the_client() -> None:
    network = GatedDenoiser()
    files = Files([PICTURE] * 3 * WINDOW)
    async with batches(network) as start, aclosing(start(files)) as outcomes:
        first = asyncio.ensure_future(anext(outcomes))
        for _ in range(10 * WINDOW):  # each file takes a few rounds of the event loop
            await asyncio.sleep(0)
        network.gate.set()
        await first
    assert files.taken == WINDOW


async def test_large_pictures_leave_room_for_other_requests() -> None:
    files = Files([encode(np.zeros((1024, 1024), np.uint8))] * 12)
    async with batches(IdentityDenoiser()) as start, aclosing(start(files)) as outcomes:
        async for _ in outcomes:
            files.handed_out += 1
    assert files.handed_out == 12
    assert files.most_in_work <= WINDOW_PIXELS // 1024**2
