import asyncio
from contextlib import ExitStack

import pytest

from app.errors import NotReadyError, QueueFullError
from app.processing.admission import Admission, Slot


def test_as_many_come_in_as_there_are_slots() -> None:
    admission = Admission(slots=2)
    with ExitStack() as stack:
        stack.enter_context(admission.slot())
        stack.enter_context(admission.slot())
        with pytest.raises(QueueFullError, match="All 2 places") as refusal, admission.slot():
            pytest.fail("a third came in")
        assert refusal.value.limit == 2
        assert refusal.value.retry_after_s == 1


def test_a_slot_that_ends_is_free_again() -> None:
    admission = Admission(slots=1)
    for _ in range(3):
        with admission.slot():
            pass


def test_a_request_that_fails_frees_its_slot() -> None:
    admission = Admission(slots=1)

    def fail() -> None:
        with admission.slot():
            raise KeyError

    for _ in range(3):
        with pytest.raises(KeyError):
            fail()


def test_a_refused_request_frees_no_slot() -> None:
    admission = Admission(slots=1)
    with admission.slot():
        for _ in range(3):
            with pytest.raises(QueueFullError), admission.slot():
                pytest.fail("a second came in")


def test_nobody_comes_in_while_draining() -> None:
    admission = Admission(slots=2)
    admission.is_draining = True
    with pytest.raises(NotReadyError, match="shutting down") as refusal, admission.slot():
        pytest.fail("it came in")
    assert refusal.value.retry_after_s == 5


def test_who_is_in_finishes_while_draining() -> None:
    admission = Admission(slots=1)
    with admission.slot():
        admission.is_draining = True


class Clock:
    """Stands still until it is set."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class FullHouse:
    """An admission whose slots have all been taken at 0 s, with a clock of its own."""

    def __init__(self, slots: int = 2, *, patience_s: float = 60) -> None:
        self.clock = Clock()
        self.admission = Admission(slots=slots, patience_s=patience_s, clock=self.clock)
        self.taken = [self.admission.slot() for _ in range(slots)]

    def free_one(self) -> None:
        with self.taken.pop():
            pass

    def is_refused_at_once(self) -> bool:
        """Whether the next one to come is refused within this turn of the event loop."""
        coming = self.admission.admit()
        try:
            coming.send(None)
        except QueueFullError:
            return True
        coming.close()
        return False

    async def wait_in_line(self, count: int = 1) -> list["asyncio.Task[Slot]"]:
        waiting = [asyncio.create_task(self.admission.admit()) for _ in range(count)]
        await asyncio.sleep(0)
        return waiting

    def free_slots(self) -> int:
        """Count them by taking them all."""
        with ExitStack() as stack:
            count = 0
            while True:
                try:
                    stack.enter_context(self.admission.slot())
                except QueueFullError:
                    return count
                count += 1


@pytest.mark.anyio
async def test_who_finds_every_slot_taken_waits_for_the_next_in_order() -> None:
    house = FullHouse()
    first, second = await house.wait_in_line(2)
    house.free_one()
    slot = await first
    assert not second.done()
    assert house.free_slots() == 0
    with slot:
        pass
    with await second:
        assert house.free_slots() == 0
    assert house.free_slots() == 1


@pytest.mark.anyio
async def test_only_those_wait_whose_turn_is_likely_to_come_in_time() -> None:
    house = FullHouse(3, patience_s=0.06)
    house.clock.now_s = 0.012  # nobody has finished since: 48 ms are enough for four at most
    waiting = await house.wait_in_line(4)
    assert house.is_refused_at_once()
    house.clock.now_s = 0.020
    house.free_one()
    house.free_one()  # one every 10 ms: two are waiting, and four could
    await asyncio.gather(*waiting[:2])
    await house.wait_in_line(2)
    assert house.is_refused_at_once()


@pytest.mark.anyio
async def test_where_requests_take_seconds_nobody_waits() -> None:
    house = FullHouse(patience_s=0.06)
    house.clock.now_s = 2.0
    assert house.is_refused_at_once()


@pytest.mark.anyio
async def test_no_more_wait_than_twice_the_slots() -> None:
    house = FullHouse(3)
    await house.wait_in_line(6)
    assert house.is_refused_at_once()


@pytest.mark.anyio
async def test_a_burst_after_quiet_times_waits_as_if_they_had_not_been() -> None:
    clock = Clock()
    admission = Admission(slots=2, patience_s=60, clock=clock)
    with admission.slot():  # a long one, so that the service is never idle
        for _ in range(300):
            clock.now_s += 100
            with admission.slot():
                pass
        burst = admission.slot()
        waiting = asyncio.create_task(admission.admit())
        await asyncio.sleep(0)
        with burst:
            pass
        with await waiting:
            pass


def test_retry_after_is_the_time_in_which_the_slots_in_use_drain() -> None:
    house = FullHouse(3)
    house.clock.now_s = 2.0
    with pytest.raises(QueueFullError) as refusal:
        house.admission.slot()
    assert refusal.value.retry_after_s == 6  # one every two seconds at most


@pytest.mark.anyio
async def test_who_waits_in_vain_is_refused_and_leaves_no_trace() -> None:
    house = FullHouse(patience_s=0)
    for _ in range(5):
        with pytest.raises(QueueFullError, match="All 2 places"):
            await house.admission.admit()
    assert not house.is_refused_at_once()  # as the fifth in line would be
    house.free_one()
    assert house.free_slots() == 1


async def _come_to_the_last_moment(house: FullHouse) -> "asyncio.Task[Slot]":
    """Let one wait without patience, until its wait is over and it has not noticed yet."""
    (waiting,) = await house.wait_in_line()
    for _ in range(2):  # turns of the event loop: the timer is seen, then runs
        await asyncio.sleep(0)
    assert not waiting.done()
    return waiting


@pytest.mark.anyio
async def test_a_slot_is_not_handed_to_who_has_just_waited_too_long() -> None:
    house = FullHouse(patience_s=0)
    waiting = await _come_to_the_last_moment(house)
    house.free_one()
    with pytest.raises(QueueFullError):
        await waiting
    assert house.free_slots() == 1


@pytest.mark.anyio
@pytest.mark.parametrize("last_moment", ["waits", "has its slot", "is refused"])
async def test_who_leaves_while_waiting_takes_no_slot_along(last_moment: str) -> None:
    if last_moment == "is refused":
        house = FullHouse(patience_s=0)
        waiting = await _come_to_the_last_moment(house)
    else:
        house = FullHouse()
        (waiting,) = await house.wait_in_line()
    if last_moment == "has its slot":
        house.free_one()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    if last_moment != "has its slot":
        house.free_one()
    assert house.free_slots() == 1


@pytest.mark.anyio
async def test_nobody_waits_while_draining() -> None:
    house = FullHouse()
    house.admission.is_draining = True
    with pytest.raises(NotReadyError):
        await house.admission.admit()


@pytest.mark.anyio
@pytest.mark.parametrize("is_granted", [True, False])
async def test_who_waits_when_draining_begins_is_told_so(*, is_granted: bool) -> None:
    house = FullHouse(patience_s=60 if is_granted else 0)
    (waiting,) = await house.wait_in_line()
    house.admission.is_draining = True
    if is_granted:
        house.free_one()
    with pytest.raises(NotReadyError):
        await waiting
    house.admission.is_draining = False
    assert house.free_slots() == is_granted
