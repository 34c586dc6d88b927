"""The four steps from an upload to its PNG: decode, submit, await, encode."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from app.errors import ClientGoneError
from app.imaging.decode import open_image
from app.imaging.fit import FittedImage, restore_image
from app.imaging.png import encode_png
from app.imaging.samples import FloatImage, Levels, to_levels
from app.inference.batching import Batcher, NetworkCall
from app.inference.tiling import submit_tiles
from app.processing.options import Options
from app.processing.picture import DenoisedPicture, PreparedPicture, Upload, prepare_picture
from app.telemetry.timing import StageTimer

T = TypeVar("T")

INLINE_PIXELS = 128 * 128  # up to this, a step takes less time than a thread would add: a millisecond or two
INLINE_BYTES = 20 * 1024  # a gray picture of that size; text in a PNG can unpack to a thousand times its size

Reserve = Callable[[int], Awaitable[None]]
Watch = Callable[[Callable[[], None]], AbstractContextManager[object]]


class Pipeline:
    """Runs the steps with the limits and the thread pool of one service: small steps at once, others in a thread."""

    def __init__(self, *, pool: Executor, max_pixels: int) -> None:
        self._pool = pool
        self._max_pixels = max_pixels

    async def decode(self, data: bytes, options: Options, *, reserve: Reserve) -> PreparedPicture:
        """Turn an upload into the image for the network; its pixels are reserved before they are decoded.

        Raises:
            RequestError: see open_image, prepare_picture and ``reserve``.
        """
        is_small = len(data) <= INLINE_BYTES
        opened = await self.run(partial(open_image, data, max_pixels=self._max_pixels), is_small=is_small)
        await reserve(opened.pixels)
        is_small = is_small and opened.pixels <= INLINE_PIXELS and not options.estimates_noise
        return await self.run(partial(prepare_picture, opened, options), is_small=is_small)

    async def run(self, step: Callable[[], T], *, is_small: bool) -> T:
        """Run a step on the event loop if it is small, else in a thread."""
        return step() if is_small else await asyncio.get_running_loop().run_in_executor(self._pool, step)


@dataclass(frozen=True)
class Process:
    """The steps for one network and one set of options, which all pictures of a batch share."""

    pipeline: Pipeline
    batcher: Batcher
    options: Options

    async def denoise(
        self,
        upload: Upload,
        *,
        timer: StageTimer,
        reserve: Reserve,
        gate: asyncio.Event | None = None,
        watch: Watch = nullcontext,
    ) -> DenoisedPicture:
        """Denoise one picture.

        Args:
            upload: the picture.
            timer: measures each stage.
            reserve: reserves the pixels of the picture before they are decoded, or raises.
            gate: what the decoded picture waits for, so that several share the network's next call.
            watch: takes a callback that ends the wait for the network, and calls it if the client leaves meanwhile.

        Raises:
            DenoiserError: the picture cannot be denoised.
        """
        with timer.stage("decode"):
            prepared = await self.pipeline.decode(bytes(upload.data), self.options, reserve=reserve)
        if gate is not None:
            await gate.wait()
        call, finish = await self._infer(prepared, watch)
        timer.add("queue", seconds=call.queue_s)
        timer.add("infer", seconds=call.infer_s)
        with timer.stage("encode"):
            is_small = self._result_pixels(prepared) <= INLINE_PIXELS
            png, height, width = await self.pipeline.run(partial(_encode, finish), is_small=is_small)
        return DenoisedPicture(
            png=png,
            width=width,
            height=height,
            source=prepared.source,
            model=self.options.model,
            batch_size=call.batch_size,
            timing_ms=timer.timing_ms(),
            filename=upload.filename,
        )

    async def _infer(self, prepared: PreparedPicture, watch: Watch) -> tuple[NetworkCall, Callable[[], Levels]]:
        """Return the network's call, and a function that turns its output into levels."""
        image = prepared.image
        told = self.options.told_noise_level(prepared.source.noise_level)
        if isinstance(image, FittedImage):
            denoised = await _watched(self.batcher.submit(image.image, told), watch)
            return denoised, partial(_finish_fitted, denoised.image, image, to_source=self.options.to_source)
        run = partial(self.pipeline.run, is_small=prepared.source.pixels <= INLINE_PIXELS)
        tiles = submit_tiles(image, self.batcher, self.options.model, noise_level=told, run=run)
        return await _watched(tiles, watch), image.finish

    def _result_pixels(self, prepared: PreparedPicture) -> int:
        size = self.options.model.input.size
        return prepared.source.pixels if size is None or self.options.to_source else size[0] * size[1]


async def _watched(waiting: "asyncio.Future[T]", watch: Watch) -> T:
    with watch(partial(_drop, waiting)):
        return await waiting


def _drop(waiting: "asyncio.Future[T]") -> None:
    """End the wait for the network, which removes the picture from the queue."""
    if not waiting.done():
        waiting.set_exception(ClientGoneError("The client closed the connection."))


def _finish_fitted(denoised: FloatImage, fitted: FittedImage, *, to_source: bool) -> Levels:
    return to_levels(restore_image(denoised, fitted, to_source=to_source))


def _encode(finish: Callable[[], Levels]) -> tuple[bytes, int, int]:
    """Return the PNG, its height and its width."""
    levels = finish()
    return encode_png(levels), *levels.shape[:2]
