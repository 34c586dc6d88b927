"""How many pixels the pictures in work may have together."""

import asyncio

import pytest

from app.errors import QueueFullError
from app.processing.pixel_budget import PixelBudget, Reservation

pytestmark = pytest.mark.anyio


async def test_pixels_are_held_until_the_reservation_ends() -> None:
    budget = PixelBudget(100, retry_after_s=lambda: 7)
    with Reservation(budget) as first:
        await first.reserve(60)
        with Reservation(budget) as second:
            with pytest.raises(QueueFullError, match="no room for 41 more pixels") as refusal:
                await second.reserve(41)
            assert refusal.value.limit == 100
            assert refusal.value.retry_after_s == 7
            await second.reserve(40)
        with Reservation(budget) as third:
            await third.reserve(40)


async def test_a_reservation_may_grow() -> None:
    budget = PixelBudget(100)
    with Reservation(budget) as reservation:
        await reservation.reserve(50)
        await reservation.reserve(50)
        with pytest.raises(QueueFullError):
            await reservation.reserve(1)
    with Reservation(budget) as reservation:
        await reservation.reserve(100)


async def test_a_refused_reservation_holds_nothing() -> None:
    with Reservation(PixelBudget(100)) as reservation:
        with pytest.raises(QueueFullError):
            await reservation.reserve(101)
        await reservation.reserve(100)


async def test_a_picture_that_fails_frees_its_pixels() -> None:
    budget = PixelBudget(100)

    async def fail() -> None:
        with Reservation(budget) as reservation:
            await reservation.reserve(100)
            raise KeyError

    for _ in range(3):
        with pytest.raises(KeyError):
            await fail()


async def test_a_reservation_can_wait_until_there_is_room() -> None:
    budget = PixelBudget(100)
    with Reservation(budget) as waiting:
        with Reservation(budget) as first, Reservation(budget) as second:
            await first.reserve(30)
            await second.reserve(60)
            reserving = asyncio.create_task(waiting.wait_for(50))
            await asyncio.sleep(0)
            assert not reserving.done()
        await reserving
        with Reservation(budget) as last, pytest.raises(QueueFullError):
            await last.reserve(51)
