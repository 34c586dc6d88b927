import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.errors import InferenceError
from app.imaging.full_size import FullSizeImage
from app.imaging.samples import FloatImage, Levels, to_unit
from app.imaging.tiles import MAX_TILE_PIXELS
from app.inference.batching import Batcher
from app.inference.denoiser import Denoiser, NoiseLevels
from app.inference.micro_batch import NetworkCall
from app.inference.tiling import submit_tiles
from tests.app.fakes import ANY_SIZE, BrokenDenoiser, GatedDenoiser, IdentityDenoiser, InvertingDenoiser, make_metadata

pytestmark = pytest.mark.anyio

T = TypeVar("T")

RADIUS_PX = 5
MODEL = make_metadata(input=ANY_SIZE, size_multiple=8, halo_px=RADIUS_PX)
LARGE = (1100, 1500)


class BlurringDenoiser(IdentityDenoiser):
    """Averages along rows and columns; what lies outside its input is black, as in a padded convolution."""

    def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
        self.shapes.append(images.shape)
        for axis in (1, 2):
            padding = [(0, 0)] * 4
            padding[axis] = (RADIUS_PX + 1, RADIUS_PX)
            sums = np.cumsum(np.pad(images, padding), axis=axis, dtype=np.float64)
            length = images.shape[axis]
            window = 2 * RADIUS_PX + 1
            first, last = np.arange(length), np.arange(length) + window
            images = ((np.take(sums, last, axis) - np.take(sums, first, axis)) / window).astype(np.float32)
        return images


async def run(step: Callable[[], T]) -> T:
    return step()


@asynccontextmanager
async def batcher(denoiser: Denoiser, threads: int = 1) -> AsyncIterator[Batcher]:
    made = Batcher(denoiser, name="test", threads=threads, pads=False)
    try:
        yield made
    finally:
        if isinstance(denoiser, GatedDenoiser):
            denoiser.gate.set()
        await made.close()


def submit(picture: FullSizeImage, queue: Batcher, *, noise_level: float | None = None) -> asyncio.Future[NetworkCall]:
    run_inline: Callable[[Callable[[], T]], Awaitable[T]] = run
    return submit_tiles(picture, queue, MODEL, noise_level=noise_level, run=run_inline)


async def clean(picture: FullSizeImage, denoiser: Denoiser, *, threads: int = 1) -> Levels:
    async with batcher(denoiser, threads) as queue:
        await submit(picture, queue)
    return picture.finish()


def noise(*shape: int) -> Levels:
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


@given(
    shape=st.integers(1, 1500).flatmap(lambda side: st.tuples(st.just(side), st.integers(1, 2_000_000 // side))),
    threads=st.integers(1, 3),
)
@settings(max_examples=15)
@example(shape=LARGE, threads=1)
@example(shape=LARGE, threads=2)
async def test_no_seam_shows_wherever_a_picture_is_cut(shape: tuple[int, int], threads: int) -> None:
    samples, denoiser = noise(*shape), BlurringDenoiser()
    stitched = await clean(FullSizeImage(samples), denoiser, threads=threads)
    assert len(denoiser.shapes) > samples.size // MAX_TILE_PIXELS
    assert max(height * width for _, height, width, _ in denoiser.shapes) <= MAX_TILE_PIXELS
    whole = BlurringDenoiser().denoise(to_unit(samples)[None, ..., None])[0, ..., 0]
    np.testing.assert_allclose(stitched / np.float32(255), whole, atol=0.51 / 255)


@pytest.mark.parametrize("shape", [(1, 1), (1, 70), (13, 1), (17, 23)])
async def test_a_small_picture_is_one_tile(shape: tuple[int, int]) -> None:
    samples, denoiser = noise(*shape), IdentityDenoiser()
    np.testing.assert_array_equal(await clean(FullSizeImage(samples), denoiser, threads=2), samples)
    assert denoiser.shapes == [(1, *shape, 1)]


@pytest.mark.parametrize(("channels", "images"), [(1, 3), (3, 1)])
async def test_colour_goes_through_networks_of_one_and_of_three_channels(channels: int, images: int) -> None:
    samples, denoiser = noise(17, 23, 3), InvertingDenoiser()
    model = make_metadata(input=ANY_SIZE | {"channels": channels})
    picture = FullSizeImage(samples)
    async with batcher(denoiser) as queue:
        await submit_tiles(picture, queue, model, noise_level=None, run=run)
    np.testing.assert_array_equal(picture.finish(), 255 - samples)
    assert {shape[1:] for shape in denoiser.shapes} == {(17, 23, channels)}
    assert sum(shape[0] for shape in denoiser.shapes) == images


async def test_the_times_are_those_of_the_whole_picture() -> None:
    async with batcher(BlurringDenoiser()) as queue:
        loop = asyncio.get_running_loop()
        start = loop.time()
        result = await submit(FullSizeImage(noise(*LARGE)), queue)
        elapsed_s = loop.time() - start
    assert 0 < result.infer_s <= elapsed_s
    assert result.infer_s + result.queue_s <= elapsed_s
    assert result.batch_size == 1


async def test_another_picture_waits_for_only_a_few_tiles() -> None:
    denoiser = GatedDenoiser()
    async with batcher(denoiser) as queue:
        large = submit(FullSizeImage(noise(4000, 4000)), queue)
        await asyncio.to_thread(denoiser.entered.wait, 10)
        small = submit(FullSizeImage(noise(8, 8)), queue)
        await asyncio.sleep(0)
        denoiser.gate.set()
        await asyncio.gather(small, large)
    assert denoiser.shapes.index((1, 8, 8, 1)) <= 2
    assert len(denoiser.shapes) > 20


async def test_a_picture_that_began_is_finished_before_the_next_of_its_size() -> None:
    levels: list[float] = []

    class LevelDenoiser(GatedDenoiser):
        def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
            levels.append(float(images.mean()))
            return super().denoise(images, noise_levels)

    denoiser = LevelDenoiser()
    async with batcher(denoiser) as queue:
        black = submit(FullSizeImage(np.zeros((1600, 1600), np.uint8)), queue)
        await asyncio.to_thread(denoiser.entered.wait, 10)
        white = submit(FullSizeImage(np.full((1600, 1600), 255, np.uint8)), queue)
        await asyncio.sleep(0)
        denoiser.gate.set()
        await asyncio.gather(black, white)
    assert len(levels) > 6
    assert levels == sorted(levels)


@pytest.mark.parametrize("end", ["cancel", "fail"])
async def test_a_picture_whose_future_is_done_is_dropped(end: str) -> None:
    denoiser = GatedDenoiser()
    async with batcher(denoiser) as queue:
        call = submit(FullSizeImage(noise(4000, 4000)), queue)
        await asyncio.to_thread(denoiser.entered.wait, 10)
        if end == "cancel":
            call.cancel()
        else:
            call.set_exception(ConnectionError())
            with pytest.raises(ConnectionError):
                await call
        await asyncio.sleep(0)
        denoiser.gate.set()
    assert len(denoiser.shapes) == 1


async def test_a_failure_of_one_tile_fails_the_picture_and_no_other() -> None:
    class Sometimes(IdentityDenoiser):
        def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
            if len(self.shapes) == 1:
                self.shapes.append(images.shape)
                return BrokenDenoiser().denoise(images)
            return super().denoise(images, noise_levels)

    async with batcher(Sometimes()) as queue:
        with pytest.raises(InferenceError):
            await submit(FullSizeImage(noise(*LARGE)), queue)
        assert (await submit(FullSizeImage(noise(8, 8)), queue)).batch_size == 1


async def test_changes_by_the_network_are_in_the_result() -> None:
    samples = noise(30, 40)
    np.testing.assert_array_equal(await clean(FullSizeImage(samples), InvertingDenoiser()), 255 - samples)
