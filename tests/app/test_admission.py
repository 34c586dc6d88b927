import asyncio
from contextlib import ExitStack

import pytest

from app import admission as module
from app.admission import Admission, Slot
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


class Clock:
    """Stands still until it is set."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def full_house(*, finished_per_s: float | None = None) -> tuple[Admission, Slot]:
    """Give an admission whose one slot is taken, where three requests have finished at that rate before."""
    clock = Clock()
    admission = Admission(slots=2, pixels=100, clock=clock)
    admission.slot()
    for _ in range(3 if finished_per_s else 0):
        with admission.slot():
            pass
    if finished_per_s:
        clock.now_s = 3 / finished_per_s
    return admission, admission.slot()


@pytest.mark.anyio
@pytest.mark.parametrize("finished_per_s", [None, 1000.0])
async def test_who_comes_when_a_slot_is_about_to_be_free_waits_for_it(finished_per_s: float | None) -> None:
    admission, taken = full_house(finished_per_s=finished_per_s)
    order: list[int] = []

    async def come(number: int) -> None:
        with await admission.admit():
            order.append(number)

    waiting = [asyncio.create_task(come(number)) for number in range(2)]
    await asyncio.sleep(0)
    assert order == []
    with taken:
        pass
    await asyncio.gather(*waiting)
    assert order == [0, 1]
    with admission.slot(), pytest.raises(QueueFullError):
        admission.slot()


@pytest.mark.anyio
async def test_a_slot_is_handed_to_who_waits_and_not_to_who_comes_later() -> None:
    admission, taken = full_house()
    waiting = asyncio.create_task(admission.admit())
    await asyncio.sleep(0)
    with taken:
        pass
    with pytest.raises(QueueFullError):
        admission.slot()
    assert (await waiting).pixels == 0


@pytest.mark.anyio
async def test_who_would_wait_long_is_refused_at_once() -> None:
    admission, _ = full_house(finished_per_s=10)
    waiting = admission.admit()
    with pytest.raises(QueueFullError, match="All 2 places"):
        waiting.send(None)  # no turn of the event loop


@pytest.mark.anyio
async def test_who_waits_in_vain_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.001)
    admission, taken = full_house()
    for _ in range(2):
        with pytest.raises(QueueFullError, match="All 2 places"):
            await admission.admit()
    with taken:
        pass
    with admission.slot():
        pass


@pytest.mark.anyio
@pytest.mark.parametrize("last_moment", ["waits", "has its slot", "is refused"])
async def test_who_leaves_while_waiting_takes_no_slot_along(last_moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0 if last_moment == "is refused" else 60)
    admission, taken = full_house()
    waiting = asyncio.create_task(admission.admit())
    for _ in range(3 if last_moment == "is refused" else 1):  # turns of the event loop until then
        await asyncio.sleep(0)
    if last_moment == "has its slot":
        admission.give_back(taken)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    if last_moment != "has its slot":
        admission.give_back(taken)
    with admission.slot(), pytest.raises(QueueFullError):
        admission.slot()


@pytest.mark.anyio
async def test_nobody_waits_while_draining() -> None:
    admission, _ = full_house()
    admission.is_draining = True
    with pytest.raises(NotReadyError):
        await admission.admit()


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
