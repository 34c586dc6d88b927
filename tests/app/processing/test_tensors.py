"""Tensors on their way through a network."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager

import numpy as np
import pytest

from app.errors import ClientGoneError, InferenceError, InvalidTensorError
from app.imaging.samples import LUMA_NOISE, FloatImage
from app.imaging.tiles import MAX_TILE_PIXELS
from app.inference.batching import create_batcher
from app.inference.denoiser import Denoiser, NoiseLevels
from app.inference.metadata import ModelMetadata
from app.processing.tensors import WINDOW, TensorProcess
from tests.app.fakes import (
    ANY_SIZE,
    NOISE_LEVELS,
    BrokenDenoiser,
    GatedDenoiser,
    IdentityDenoiser,
    InvertingDenoiser,
    make_metadata,
)

pytestmark = pytest.mark.anyio

FIXED = make_metadata()
TOLD = make_metadata(input=ANY_SIZE | {"channels": 3}, noise_level=NOISE_LEVELS, size_multiple=8, halo_px=8)


def noise(*shape: int) -> FloatImage:
    return np.random.default_rng(0).random(shape, dtype=np.float32)


@asynccontextmanager
async def process(denoiser: Denoiser, model: ModelMetadata = FIXED) -> AsyncIterator[TensorProcess]:
    batcher = create_batcher(denoiser, model, threads=2)
    with ThreadPoolExecutor(1) as pool:
        try:
            yield TensorProcess(pool, batcher, model)
        finally:
            if isinstance(denoiser, GatedDenoiser):
                denoiser.gate.set()
            await batcher.close()


async def test_the_images_of_a_fixed_size_share_calls() -> None:
    network = InvertingDenoiser()
    images = noise(16, 28, 28, 1)
    async with process(network) as tensors:
        denoised = await tensors.denoise(images, None)
    np.testing.assert_array_equal(denoised.images, 1 - images)
    assert denoised.batch_size == 16
    assert network.shapes == [(16, 28, 28, 1)]


async def test_of_many_images_a_bounded_number_waits_for_the_network() -> None:
    network = GatedDenoiser()
    images = noise(WINDOW + 50, 28, 28, 1)
    async with process(network) as tensors:
        work = asyncio.create_task(tensors.denoise(images, None))
        await asyncio.to_thread(network.entered.wait, 10)
        others = tensors.batcher.submit(images[0])
        network.gate.set()
        denoised = await work
        assert (await others).image.shape == (28, 28, 1)
    np.testing.assert_array_equal(denoised.images, images)


async def test_large_images_of_any_size_are_cut_into_tiles_and_keep_their_noise_levels() -> None:
    network = InvertingDenoiser()
    images = noise(2, 700, 1000, 3)
    async with process(network, TOLD) as tensors:
        denoised = await tensors.denoise(images, np.array([0.1, 0.2], np.float32))
    np.testing.assert_array_equal(denoised.images, 1 - images)
    assert all(height * width <= MAX_TILE_PIXELS for _, height, width, _ in network.shapes)
    assert len(network.shapes) > 2
    levels = {round(level, 3) for call in network.noise_levels if call for level in call}
    assert levels == {0.1, 0.2}


async def test_a_gray_tile_of_a_colour_image_is_told_the_noise_of_luma() -> None:
    network = InvertingDenoiser()
    images = np.repeat(noise(2, 700, 1000, 1), 3, axis=-1)
    images[0, 0, 0] = 1, 0, 0
    async with process(network, TOLD) as tensors:
        await tensors.denoise(images, np.array([0.1, 0.2], np.float32))
    levels = {round(level, 3) for call in network.noise_levels if call for level in call}
    assert levels == {0.1, round(0.1 * LUMA_NOISE, 3), 0.2}


async def test_a_network_that_fails_is_an_error() -> None:
    async with process(BrokenDenoiser()) as tensors:
        with pytest.raises(InferenceError):
            await tensors.denoise(noise(3, 28, 28, 1), None)


class OverflowingDenoiser(IdentityDenoiser):
    """Returns what is not finite."""

    def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
        return np.full(images.shape, np.nan, np.float32)


@pytest.mark.parametrize("model", [FIXED, make_metadata(input=ANY_SIZE)], ids=["fixed size", "any size"])
async def test_a_result_that_is_not_finite_is_an_error_of_the_request(model: ModelMetadata) -> None:
    async with process(OverflowingDenoiser(), model) as tensors:
        with pytest.raises(InvalidTensorError):
            await tensors.denoise(noise(1, 28, 28, 1), None)


@contextmanager
def leaving(leave: Callable[[], None]) -> Iterator[None]:
    """Stand in for a client that leaves at once."""
    asyncio.get_running_loop().call_soon(leave)
    yield


async def test_a_client_that_leaves_ends_the_work() -> None:
    async with process(GatedDenoiser()) as tensors:
        with pytest.raises(ClientGoneError):
            await tensors.denoise(noise(3, 28, 28, 1), None, watch=leaving)


async def test_a_deadline_ends_the_work() -> None:
    async with process(GatedDenoiser()) as tensors:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await tensors.denoise(noise(3, 28, 28, 1), None)
