"""How many pictures of one request are in work at once."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from functools import partial

import numpy as np
import pytest

from app.errors import DeadlineExceededError
from app.inference.batching import Batcher
from app.inference.denoiser import Denoiser
from app.processing.batch import WINDOW, WINDOW_PIXELS, Batch, Outcome
from app.processing.deadline import Deadline
from app.processing.decoders import Decoders, ImageDecoder
from app.processing.options import Choice, Options
from app.processing.picture import DenoisedPicture, Upload
from app.processing.pipeline import Process
from app.processing.pixel_budget import PixelBudget, Reservation
from tests.app.fakes import GatedDenoiser, IdentityDenoiser, InProcessDecoder, make_metadata
from tests.app.pictures import encode, ring

pytestmark = pytest.mark.anyio

PICTURE = encode(ring())
LARGE = encode(np.zeros((1024, 1024), np.uint8))
MAX_PIXELS = 40_000_000
TEN_SECONDS = partial(Deadline, 10)
METADATA = make_metadata()
CHOICE = Choice.always(Options(METADATA))

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
async def batches(
    denoiser: Denoiser,
    *,
    decoders: ImageDecoder | None = None,
    budget: PixelBudget | None = None,
    deadline: Callable[[], Deadline] = TEN_SECONDS,
) -> AsyncIterator[Start]:
    batcher = Batcher(denoiser, name="test")
    with ThreadPoolExecutor(1) as pool:
        batchers = {METADATA.key: batcher}
        process = Process(pool, pool, decoders or InProcessDecoder(), MAX_PIXELS, batchers, CHOICE)
        budget = budget or PixelBudget(2 * MAX_PIXELS)
        yield lambda files: Batch(process, budget, deadline=deadline).denoise(files)
        await batcher.close()


@pytest.mark.parametrize(("per_megapixel_s", "kind"), [(0, DeadlineExceededError), (10**6, DenoisedPicture)])
async def test_each_picture_has_the_time_for_its_pixels(per_megapixel_s: float, kind: type) -> None:
    deadline = partial(Deadline, 0, per_megapixel_s=per_megapixel_s)
    async with batches(IdentityDenoiser(), deadline=deadline) as start:
        assert [type(outcome.result) async for outcome in start(Files([PICTURE] * 2))] == [kind] * 2


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
    files = Files([LARGE] * 12)
    async with batches(IdentityDenoiser()) as start, aclosing(start(files)) as outcomes:
        async for _ in outcomes:
            files.handed_out += 1
    assert files.handed_out == 12
    assert files.most_in_work <= WINDOW_PIXELS // 1024**2


async def test_a_picture_that_waits_for_room_leaves_its_decoder_to_others() -> None:
    refused = asyncio.Event()

    def refuse() -> int:
        refused.set()
        return 1

    budget = PixelBudget(2**20, retry_after_s=refuse)
    async with (
        Decoders(2, max_pixels=MAX_PIXELS) as decoders,
        batches(IdentityDenoiser(), decoders=decoders, budget=budget) as start,
    ):
        with Reservation(budget) as other:
            await other.reserve(1)
            waiting = [asyncio.ensure_future(anext(start(Files([LARGE])))) for _ in range(2)]
            await refused.wait()
            decoded, _ = await decoders.decode(encode(ring(), "BMP"), choice=CHOICE, reserve=accept)
            assert decoded.format == "BMP"
            assert not any(outcome.done() for outcome in waiting)
        for outcome in asyncio.as_completed(waiting):
            assert isinstance((await outcome).result, DenoisedPicture)
    assert budget.free == budget.limit


async def accept(_pixels: int) -> None:
    """Reserve nothing."""
