"""Send a picture of any size through the queue of a network tile by tile, so that others get a turn in between."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import product
from typing import Protocol, TypeVar

from app.imaging.full_size import Pass
from app.imaging.samples import FloatImage
from app.imaging.tiles import Tile, cut_tiles
from app.inference.batching import Batcher
from app.inference.metadata import ModelMetadata
from app.inference.micro_batch import Denoised, NetworkCall

T = TypeVar("T")
_Part = tuple[Pass, Tile, "asyncio.Future[Denoised]"]

MIN_SHARED_PIXELS = 2**16  # smaller pictures are not cut just to keep several threads busy


class TiledImage(Protocol):
    """An image of any size that tiles are read from and written to; app.imaging.full_size has that of pictures."""

    height: int
    width: int

    def passes(self, channels: int, /) -> list[Pass]:
        """Return what a network of so many channels has to denoise."""
        ...


class Run(Protocol):
    """Runs a step that may take milliseconds without blocking the event loop."""

    def __call__(self, step: Callable[[], T], /) -> Awaitable[T]:
        """Run the step and return its result."""
        ...


def submit_tiles(
    image: TiledImage, batcher: Batcher, model: ModelMetadata, *, noise_level: float | None, run: Run
) -> "asyncio.Future[NetworkCall]":
    """Queue the tiles of an image, a few at a time, and write the denoised ones into the image.

    Args:
        image: the image to denoise.
        batcher: the queue of the network.
        model: how the network's images may be cut.
        noise_level: what the network receives, in [0, 1] units; None for one that takes none.
        run: runs the steps that read and write parts.

    Returns:
        A future with the times of the whole image. It fails with InferenceError if the network failed on a tile. If
        the caller cancels it or sets its result or exception, the remaining tiles are dropped.
    """
    call: asyncio.Future[NetworkCall] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(_denoise_passes(image, batcher, model, noise_level, run))

    def hand_over(finished: "asyncio.Task[NetworkCall]") -> None:
        if finished.cancelled() or call.done():
            return
        if (error := finished.exception()) is not None:
            call.set_exception(error)
        else:
            call.set_result(finished.result())

    task.add_done_callback(hand_over)
    call.add_done_callback(lambda _: task.cancel())
    return call


async def _denoise_passes(
    image: TiledImage, batcher: Batcher, model: ModelMetadata, noise_level: float | None, run: Run
) -> NetworkCall:
    start = time.perf_counter()
    waiting: deque[_Part] = deque()
    waits_s, batch_sizes = [], []

    async def write_oldest() -> None:
        step, tile, future = waiting[0]
        denoised = await future
        waiting.popleft()
        waits_s.append(denoised.queue_s)
        batch_sizes.append(denoised.batch_size)
        await run(partial(step.write, tile.kept, denoised.image[tile.inner]))

    try:
        parts = _list_parts(image, model, batcher.threads)
        for index, (step, tile) in enumerate(parts):
            if len(waiting) > batcher.threads:  # one more than there are threads, so that none waits
                await write_oldest()
            seen, level = await run(partial(_read, step, tile, noise_level))
            tiles_left = len(parts) - index + len(waiting)
            waiting.append((step, tile, batcher.submit(seen, level, turn=(tiles_left, start))))
        while waiting:
            await write_oldest()
    finally:
        for _, _, future in waiting:
            future.cancel()
    return NetworkCall(max(batch_sizes), waits_s[0], time.perf_counter() - start - waits_s[0])


def _read(step: Pass, tile: Tile, noise_level: float | None) -> tuple[FloatImage, float | None]:
    seen = step.read(tile.seen)
    return seen, step.find_level(seen, noise_level)


def _list_parts(image: TiledImage, model: ModelMetadata, threads: int) -> list[tuple[Pass, Tile]]:
    min_tiles = threads if image.height * image.width >= MIN_SHARED_PIXELS else 1
    tiles = cut_tiles(
        image.height, image.width, size_multiple=model.size_multiple, halo_px=model.halo_px, min_tiles=min_tiles
    )
    return list(product(image.passes(model.input.channels), tiles))
