"""Denoise tensors: arrays that a client has made ready for a network itself, without any of the steps for pictures."""

import asyncio
from collections import deque
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from app.errors import InvalidTensorError
from app.imaging.full_size import Pass
from app.imaging.samples import FloatImage, is_gray
from app.imaging.tiles import Rectangle
from app.inference.batching import Batcher
from app.inference.denoiser import NoiseLevels
from app.inference.metadata import ModelMetadata
from app.inference.micro_batch import BATCH_SIZES, Denoised, NetworkCall
from app.inference.tiling import submit_tiles
from app.processing.pipeline import INLINE_PIXELS
from app.processing.steps import Watch, finish_unless_client_leaves, run_step

WINDOW = 2 * BATCH_SIZES[-1]  # images in the queue at once, so that other requests get their turn
WINDOW_PIXELS = 2**22  # no further image is queued while those in the queue have so many


@dataclass(frozen=True)
class DenoisedTensor(NetworkCall):
    """The output for a tensor, float32 of shape (N, H, W, C), and the calls that produced it.

    ``batch_size`` is that of the largest call; ``queue_s`` is the wait of the first image.
    """

    images: FloatImage


@dataclass(frozen=True)
class TensorProcess:
    """The way of a tensor through one network.

    Attributes:
        pool: runs the steps that are not small.
        batcher: the queue of the network.
        model: the network.
    """

    pool: Executor
    batcher: Batcher
    model: ModelMetadata

    async def denoise(
        self, images: FloatImage, noise_levels: NoiseLevels | None, *, watch: Watch = nullcontext
    ) -> DenoisedTensor:
        """Denoise each image; those of a fixed size share calls with pictures, others are cut into tiles as these are.

        Args:
            images: shape (N, H, W, C), as the network takes it; finite.
            noise_levels: shape (N,), in [0, 1] units; None for a network that takes none.
            watch: takes what ends the work, and calls it if the client leaves meanwhile.

        Raises:
            InferenceError: the network failed.
            InvalidTensorError: the network returned numbers that are not finite.
            ClientGoneError: the client left.
        """
        return await finish_unless_client_leaves(self._denoise(images, noise_levels), watch)

    async def _denoise(self, images: FloatImage, noise_levels: NoiseLevels | None) -> DenoisedTensor:
        result = np.empty(images.shape, np.float32)
        pixels = images.shape[1] * images.shape[2]
        window = max(1, min(WINDOW, WINDOW_PIXELS // pixels))
        waiting: deque[tuple[int, asyncio.Future[Denoised] | asyncio.Future[NetworkCall]]] = deque()
        calls: list[NetworkCall] = []

        async def take_oldest() -> None:
            number, future = waiting[0]
            call = await future
            waiting.popleft()
            calls.append(call)
            if isinstance(call, Denoised):
                result[number] = _check_finite(call.image)

        try:
            for number, image in enumerate(images):
                if len(waiting) == window:
                    await take_oldest()
                level = None if noise_levels is None else float(noise_levels[number])
                waiting.append((number, self._submit(image, level, result[number])))
            while waiting:
                await take_oldest()
        finally:
            for _, future in waiting:
                future.cancel()
        queue_s, infer_s = calls[0].queue_s, max(call.infer_s for call in calls)
        return DenoisedTensor(max(call.batch_size for call in calls), queue_s, infer_s, result)

    def _submit(
        self, image: FloatImage, level: float | None, result: FloatImage
    ) -> "asyncio.Future[Denoised] | asyncio.Future[NetworkCall]":
        if self.model.input.size is not None:
            return self.batcher.submit(image, level)
        is_small = image.shape[0] * image.shape[1] <= INLINE_PIXELS
        run = partial(run_step, is_small=is_small, pool=self.pool)
        return submit_tiles(_Image(image, result), self.batcher, self.model, noise_level=level, run=run)


def _check_finite(denoised: FloatImage) -> FloatImage:
    if not np.isfinite(denoised).all():
        raise InvalidTensorError("The network has no finite result for these numbers; they are too large.")
    return denoised


class _Image:
    """An image that is denoised tile by tile; see app.inference.tiling.TiledImage."""

    def __init__(self, image: FloatImage, result: FloatImage) -> None:
        self.height, self.width = image.shape[:2]
        self._image = image
        self._result = result

    def passes(self, _channels: int) -> list[Pass]:
        def read(part: Rectangle) -> FloatImage:
            return self._image[part]

        def write(part: Rectangle, denoised: FloatImage) -> None:
            self._result[part] = _check_finite(denoised)

        return [Pass(read, write, is_colour=cache(lambda: not is_gray(self._image)))]
