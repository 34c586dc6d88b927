"""The four steps from an upload to its result: decode, submit, await, encode."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any, TypeVar

import numpy as np

from app.imaging.decode import DecodedImage, decode_image, open_image
from app.imaging.encode import encode_image
from app.imaging.fit import FittedImage, restore_image
from app.imaging.headers import count_plain_pixels
from app.imaging.samples import Levels, to_levels
from app.inference.batching import Batcher
from app.inference.metadata import ModelKey
from app.inference.micro_batch import Denoised, NetworkCall
from app.inference.tiling import submit_tiles
from app.processing.decoders import ImageDecoder
from app.processing.options import Choice, Options
from app.processing.picture import DenoisedPicture, PreparedPicture, Upload, prepare_picture
from app.processing.pixel_budget import Reserve
from app.processing.steps import Watch, client_gone, finish_unless_client_leaves, run_step
from app.telemetry.timing import StageTimer

T = TypeVar("T")

INLINE_PIXELS = 128 * 128  # up to this, a step takes less time than a thread would add: a millisecond or two
INLINE_BYTES = 20 * 1024  # a gray picture of that size
INLINE_FORMATS = ("png", "jpeg")  # of small results; the others take several milliseconds


@dataclass(frozen=True)
class Process:
    """The steps for what a client has chosen, which all pictures of a batch share.

    Attributes:
        pool: runs the steps that are not small.
        avif_pool: encodes AVIF, which takes long and much memory, one picture at a time.
        decoders: decode what is not small and plain.
        max_pixels: the largest picture.
        batchers: the queues of the networks.
        choice: what to do with a picture, and with which network.
    """

    pool: Executor
    avif_pool: Executor
    decoders: ImageDecoder
    max_pixels: int
    batchers: Mapping[ModelKey, Batcher]
    choice: Choice

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
            watch: takes what ends a wait for a decoder or the network, and calls it if the client leaves meanwhile.

        Raises:
            DenoiserError: the picture cannot be denoised.
        """
        with timer.stage("decode"):
            prepared, options = await self._decode(bytes(upload.data), reserve, watch)
        if gate is not None:
            await gate.wait()
        waiting, finish = self._submit(prepared, options)
        with watch(partial(_drop, waiting)):
            call = await waiting
        timer.add("queue", seconds=call.queue_s)
        timer.add("infer", seconds=call.infer_s)
        with timer.stage("encode"):
            encode = partial(_encode, finish, options, prepared.icc_profile)
            is_small = _result_pixels(prepared, options) <= INLINE_PIXELS and options.format in INLINE_FORMATS
            pool = self.avif_pool if options.format == "avif" else self.pool
            encoded, height, width = await self._run(encode, is_small=is_small, pool=pool)
        return DenoisedPicture(
            encoded=encoded,
            format=options.format,
            width=width,
            height=height,
            source=prepared.source,
            model=options.model,
            batch_size=call.batch_size,
            timing_ms=timer.timing_ms(),
            filename=upload.filename,
        )

    async def _decode(self, data: bytes, reserve: Reserve, watch: Watch) -> tuple[PreparedPicture, Options]:
        pixels = count_plain_pixels(data) if len(data) <= INLINE_BYTES else None
        if pixels is not None and pixels <= INLINE_PIXELS:
            decoded, options = await self._decode_here(data, reserve)
        else:
            decoded, options = await self._decode_apart(data, reserve, watch)
        is_small = prod(decoded.samples.shape[:2]) <= INLINE_PIXELS and not options.estimates_noise
        return await self._run(partial(prepare_picture, decoded, options), is_small=is_small), options

    async def _decode_here(self, data: bytes, reserve: Reserve) -> tuple[DecodedImage, Options]:
        opened = open_image(data, max_pixels=self.max_pixels)
        options = self.choice.for_size(opened.size)
        await reserve(opened.pixels)
        return decode_image(opened, backdrop=options.backdrop, keeps_color=options.keeps_color), options

    async def _decode_apart(self, data: bytes, reserve: Reserve, watch: Watch) -> tuple[DecodedImage, Options]:
        """Decode in a process, which is killed if this is cancelled or the client leaves."""
        work = self.decoders.decode(data, choice=self.choice, reserve=reserve)
        return await finish_unless_client_leaves(work, watch)

    def _submit(
        self, prepared: PreparedPicture, options: Options
    ) -> tuple["asyncio.Future[Denoised] | asyncio.Future[NetworkCall]", Callable[[], Levels]]:
        """Queue a picture for its network; return the future, and what makes levels of the result once it is done."""
        image, batcher = prepared.image, self.batchers[options.model.key]
        told = options.told_noise_level(prepared.source.noise_level)
        if isinstance(image, FittedImage):
            waiting = batcher.submit(image.image[..., np.newaxis], told)
            return waiting, partial(_finish_fitted, waiting, image, to_source=options.to_source)
        run = partial(self._run, is_small=prepared.source.pixels <= INLINE_PIXELS)
        return submit_tiles(image, batcher, options.model, noise_level=told, run=run), image.finish

    async def _run(self, step: Callable[[], T], *, is_small: bool, pool: Executor | None = None) -> T:
        return await run_step(step, is_small=is_small, pool=pool or self.pool)


def _result_pixels(prepared: PreparedPicture, options: Options) -> int:
    size = options.model.input.size
    return prepared.source.pixels if size is None or options.to_source else prod(size)


def _drop(waiting: "asyncio.Future[Any]") -> None:
    """End the wait for the network, which removes the picture from the queue."""
    if not waiting.done():
        waiting.set_exception(client_gone())


def _finish_fitted(waiting: "asyncio.Future[Denoised]", fitted: FittedImage, *, to_source: bool) -> Levels:
    return to_levels(restore_image(waiting.result().image[..., 0], fitted, to_source=to_source))


def _encode(finish: Callable[[], Levels], options: Options, icc_profile: bytes | None) -> tuple[bytes, int, int]:
    """Return the encoded result, its height and its width."""
    levels = finish()
    encoded = encode_image(levels, options.format, quality=options.quality, icc_profile=icc_profile)
    return encoded, *levels.shape[:2]
