"""The steps between an upload and its answer, each on the event loop if it is small and in a thread if not."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from app.imaging.decode import open_image
from app.imaging.fit import FittedImage
from app.imaging.png import encode_png
from app.inference.batching import Batcher, Denoised
from app.inference.metadata import ModelMetadata
from app.inference.tiling import submit_tiles
from app.processing.admission import Slot
from app.processing.options import Options
from app.processing.picture import Picture, finish_picture, prepare_picture

T = TypeVar("T")

INLINE_PIXELS = 128 * 128  # up to this size, a step costs less than handing it to a thread: a millisecond or two
INLINE_BYTES = 20 * 1024  # gray pictures of that size; text in a PNG can unpack to a thousand times its size


@dataclass(frozen=True)
class EncodedPicture:
    """A finished PNG and its size in pixels."""

    png: bytes
    width: int
    height: int


class Pipeline:
    """Decodes, cleans and encodes with the limits and the thread pool of one service."""

    def __init__(self, *, pool: Executor, max_pixels: int) -> None:
        self._pool = pool
        self._max_pixels = max_pixels

    async def decode(self, data: bytes, options: Options, *, slot: Slot) -> Picture:
        """Turn an upload into what the network gets; the pixels are reserved in ``slot`` before they are decoded.

        Raises:
            RequestError: see open_image, Slot.reserve_pixels and prepare_picture.
        """
        is_small = len(data) <= INLINE_BYTES
        opened = await self._run(partial(open_image, data, max_pixels=self._max_pixels), is_small=is_small)
        slot.reserve_pixels(opened.pixels)
        is_small = is_small and opened.pixels <= INLINE_PIXELS and not options.estimates_noise
        return await self._run(partial(prepare_picture, opened, options), is_small=is_small)

    def submit(
        self, picture: Picture, options: Options, *, model: ModelMetadata, batcher: Batcher
    ) -> "asyncio.Future[Denoised]":
        """Queue a picture for its network, whole or in tiles; see Batcher.submit and submit_tiles."""
        told = options.told_noise_level(picture.noise_level)
        if isinstance(picture.prepared, FittedImage):
            return batcher.submit(picture.prepared.image, told)
        is_small = picture.width * picture.height <= INLINE_PIXELS
        run = partial(self._run, is_small=is_small)
        return submit_tiles(picture.prepared, batcher, model, noise_level=told, run=run)

    async def encode(self, answer: Denoised, picture: Picture, options: Options) -> EncodedPicture:
        """Turn the network's answer into a PNG of the size that was asked for."""
        pixels = picture.width * picture.height if options.to_source else answer.image.size
        step = partial(_finish_and_encode, answer, picture, to_source=options.to_source)
        return await self._run(step, is_small=pixels <= INLINE_PIXELS)

    async def _run(self, step: Callable[[], T], *, is_small: bool) -> T:
        return step() if is_small else await asyncio.get_running_loop().run_in_executor(self._pool, step)


def _finish_and_encode(answer: Denoised, picture: Picture, *, to_source: bool) -> EncodedPicture:
    levels = finish_picture(answer.image, picture, to_source=to_source)
    return EncodedPicture(encode_png(levels), width=levels.shape[1], height=levels.shape[0])
