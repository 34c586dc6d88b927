"""Which images share a call, and the arrays that the network gets."""

import asyncio

import numpy as np
import pytest

from app.inference.micro_batch import AT_ONCE, Item, pad_size, stack_images, stack_noise_levels, take_batch

pytestmark = pytest.mark.anyio


async def wait_with(*sizes: tuple[int, int], noise_level: float | None = None) -> list[Item]:
    """Return an item for each size (H, W), gray of 0.5."""
    loop = asyncio.get_running_loop()
    images = [np.full((*size, 1), 0.5, np.float32) for size in sizes]
    return [Item(image, noise_level, loop.create_future(), 0.0, AT_ONCE) for image in images]


async def test_images_as_large_as_the_first_share_a_call_and_the_rest_keeps_its_order() -> None:
    waiting = await wait_with((4, 3), (8, 3), (4, 3), (9, 3))
    batch, rest = take_batch(waiting, 64)
    assert (batch, rest) == ([waiting[0], waiting[2]], [waiting[1], waiting[3]])
    assert take_batch([], 64) == ([], [])


@pytest.mark.parametrize(("size", "count"), [((28, 28), 5), ((256, 256), 4), ((512, 512), 1), ((4096, 4096), 1)])
async def test_a_call_has_a_number_of_images_and_of_pixels_at_most(size: tuple[int, int], count: int) -> None:
    batch, rest = take_batch(await wait_with(*[size] * 7), 5)
    assert (len(batch), len(rest)) == (count, 7 - count)


async def test_what_is_missing_to_a_warmed_size_is_black_and_without_noise() -> None:
    batch = await wait_with(*[(2, 2)] * 3, noise_level=0.25)
    images, levels = stack_images(batch, pad_size(3)), stack_noise_levels(batch, pad_size(3))
    np.testing.assert_array_equal(images[:, 0, 0, 0], [0.5, 0.5, 0.5, 0])
    np.testing.assert_array_equal(levels, np.array([0.25, 0.25, 0.25, 0], np.float32))


async def test_a_network_that_takes_no_level_gets_none() -> None:
    assert stack_noise_levels(await wait_with((2, 2)), 1) is None


async def test_a_single_image_is_not_copied() -> None:
    (item,) = await wait_with((2, 2))
    assert np.shares_memory(stack_images([item], 1), item.image)
