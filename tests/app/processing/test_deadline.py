import asyncio

import pytest

from app.errors import DeadlineExceededError
from app.processing.deadline import Deadline, Stop

pytestmark = pytest.mark.anyio


async def never() -> None:
    await asyncio.get_running_loop().create_future()


async def test_a_block_that_takes_too_long_ends() -> None:
    with pytest.raises(DeadlineExceededError, match="within 0 seconds"):
        async with Deadline(0):
            await never()


async def test_a_block_without_a_deadline_does_not_end() -> None:
    async with Deadline(None, per_megapixel_s=1) as deadline:
        deadline.extend_for(10**6)
        await asyncio.sleep(0)


async def test_pixels_extend_the_time() -> None:
    async with Deadline(0, per_megapixel_s=60) as deadline:
        deadline.extend_for(2_000_000)
        await asyncio.sleep(0.001)


async def test_the_time_counts_from_the_start_however_often_it_is_extended() -> None:
    async def extend_thrice() -> None:
        async with Deadline(0, per_megapixel_s=0.01) as deadline:
            for _ in range(3):
                deadline.extend_for(2_000_000)
            await never()

    with pytest.raises(DeadlineExceededError, match=r"within 0\.02 seconds"):
        await extend_thrice()


async def test_pixels_that_come_too_late_extend_nothing() -> None:
    async def extend_in_the_end() -> None:
        async with Deadline(0, per_megapixel_s=60) as deadline:
            try:
                await never()
            finally:
                deadline.extend_for(2_000_000)

    with pytest.raises(DeadlineExceededError, match="within 0 seconds"):
        await extend_in_the_end()


async def test_a_stop_ends_what_is_in_work_and_what_is_extended_later() -> None:
    stop = Stop()

    async def wait(*, extends: bool) -> None:
        async with Deadline(60, per_megapixel_s=60, stop=stop) as deadline:
            if extends:
                stop.set_in(0.01)
                deadline.extend_for(2_000_000)
            await never()

    waiting, extended = (asyncio.create_task(wait(extends=extends)) for extends in (False, True))
    for task in (waiting, extended):
        with pytest.raises(DeadlineExceededError, match="within 0 seconds"):
            await task
    assert not stop.running


async def test_a_stop_far_away_leaves_an_earlier_deadline() -> None:
    stop = Stop()
    stop.set_in(60)
    with pytest.raises(DeadlineExceededError, match="within 0 seconds"):
        async with Deadline(0, stop=stop):
            await never()


async def test_other_errors_pass() -> None:
    with pytest.raises(ZeroDivisionError):
        async with Deadline(10):
            raise ZeroDivisionError


async def test_the_timer_is_not_set_again_for_a_small_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[float | None] = []
    reschedule = asyncio.Timeout.reschedule

    def note(timeout: asyncio.Timeout, when: float | None) -> None:
        ends.append(when)
        reschedule(timeout, when)

    async with Deadline(30, per_megapixel_s=10) as deadline:
        monkeypatch.setattr(asyncio.Timeout, "reschedule", note)
        deadline.extend_for(28 * 28)
        assert not ends
        deadline.extend_for(1000 * 1000)
        assert len(ends) == 1


async def test_but_it_is_when_the_service_stops_sooner() -> None:
    async def wait() -> None:
        stop = Stop()
        stop.set_in(0)
        async with Deadline(60, per_megapixel_s=10, stop=stop) as deadline:
            deadline.extend_for(28 * 28)
            await never()

    with pytest.raises(DeadlineExceededError, match="within 0 seconds"):
        await wait()
