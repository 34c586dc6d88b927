import asyncio
from contextlib import ExitStack

import pytest

from app.admission import Admission
from app.errors import NotReadyError, QueueFullError


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def test_as_many_come_in_as_there_are_slots() -> None:
    admission = Admission(slots=2, pixels=100)
    with ExitStack() as stack:
        stack.enter_context(admission.slot())
        stack.enter_context(admission.slot())
        with pytest.raises(QueueFullError, match="All 2 places") as refusal, admission.slot():
            pytest.fail("a third came in")
        assert refusal.value.limit == 2
        assert refusal.value.retry_after_s == 1


def test_a_slot_that_ends_is_free_again() -> None:
    admission = Admission(slots=1, pixels=100)
    for _ in range(3):
        with admission.slot():
            pass


def test_a_request_that_fails_frees_its_slot_and_its_pixels() -> None:
    admission = Admission(slots=1, pixels=100)

    def fail() -> None:
        with admission.slot() as slot:
            slot.reserve_pixels(100)
            raise KeyError

    for _ in range(3):
        with pytest.raises(KeyError):
            fail()


def test_a_refused_request_frees_no_slot() -> None:
    admission = Admission(slots=1, pixels=100)
    with admission.slot():
        for _ in range(3):
            with pytest.raises(QueueFullError), admission.slot():
                pytest.fail("a second came in")


def test_pixels_are_held_until_the_slot_ends() -> None:
    admission = Admission(slots=3, pixels=100)
    with admission.slot() as first:
        first.reserve_pixels(60)
        with admission.slot() as second:
            with pytest.raises(QueueFullError, match="no room for one of 41 pixels") as refusal:
                second.reserve_pixels(41)
            assert refusal.value.limit == 100
            assert refusal.value.retry_after_s == 1
            second.reserve_pixels(40)
        with admission.slot() as third:
            third.reserve_pixels(40)


def test_one_slot_may_reserve_more_than_once() -> None:
    admission = Admission(slots=2, pixels=100)
    with admission.slot() as slot:
        slot.reserve_pixels(50)
        slot.reserve_pixels(50)
        with pytest.raises(QueueFullError):
            slot.reserve_pixels(1)
    with admission.slot() as slot:
        slot.reserve_pixels(100)


def test_a_refused_reservation_holds_nothing() -> None:
    admission = Admission(slots=2, pixels=100)
    with admission.slot() as slot:
        with pytest.raises(QueueFullError):
            slot.reserve_pixels(101)
        slot.reserve_pixels(100)


def test_nobody_comes_in_while_draining() -> None:
    admission = Admission(slots=2, pixels=100)
    admission.is_draining = True
    with pytest.raises(NotReadyError, match="shutting down") as refusal, admission.slot():
        pytest.fail("it came in")
    assert refusal.value.retry_after_s == 5


def test_who_is_in_finishes_while_draining() -> None:
    admission = Admission(slots=1, pixels=100)
    with admission.slot() as slot:
        admission.is_draining = True
        slot.reserve_pixels(100)


@pytest.mark.anyio
async def test_a_share_waits_for_pixels_that_were_refused() -> None:
    admission = Admission(slots=2, pixels=100)
    with admission.slot() as slot, admission.slot() as other:
        other.reserve_pixels(60)
        share = slot.share()
        with pytest.raises(QueueFullError):
            share.reserve_pixels(50)
        waiting = asyncio.create_task(share.wait_for_pixels())
        await asyncio.sleep(0)
        assert not share.reserved.done()
        admission.release_pixels(other)
        await waiting
        share.reserve_pixels(50)  # are held already
        assert share.reserved.result() == 50
        with pytest.raises(QueueFullError):
            other.reserve_pixels(51)
        share.release()
        other.reserve_pixels(100)
