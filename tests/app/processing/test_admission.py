import asyncio
from contextlib import ExitStack

import pytest

from app.access.key_file import Key, digest
from app.access.keyring import Caller
from app.errors import NotReadyError, QueueFullError, ShareExceededError
from app.processing.admission import Admission, Slot

pytestmark = pytest.mark.anyio


async def refusal(admission: Admission) -> QueueFullError | NotReadyError:
    with pytest.raises((QueueFullError, NotReadyError)) as refused:
        await admission.admit()
    assert isinstance(refused.value, QueueFullError | NotReadyError)
    return refused.value


async def test_as_many_requests_are_admitted_as_there_are_slots() -> None:
    admission = Admission(slots=2, patience_s=0)
    with await admission.admit(), await admission.admit():
        refused = await refusal(admission)
    assert str(refused) == "All 2 places in the queue are taken."
    assert refused.limit == 2
    assert refused.retry_after_s == 1


async def test_a_slot_is_free_again_when_its_block_ends() -> None:
    admission = Admission(slots=1, patience_s=0)
    for _ in range(3):
        with await admission.admit():
            pass


async def test_a_request_that_fails_frees_its_slot() -> None:
    admission = Admission(slots=1, patience_s=0)

    async def fail() -> None:
        with await admission.admit():
            raise KeyError

    for _ in range(3):
        with pytest.raises(KeyError):
            await fail()


async def test_a_refused_request_frees_no_slot() -> None:
    admission = Admission(slots=1, patience_s=0)
    with await admission.admit():
        for _ in range(3):
            assert isinstance(await refusal(admission), QueueFullError)


async def test_no_request_is_admitted_while_draining() -> None:
    admission = Admission(slots=2)
    admission.is_draining = True
    refused = await refusal(admission)
    assert isinstance(refused, NotReadyError)
    assert refused.retry_after_s == 5


async def test_an_admitted_request_finishes_while_draining() -> None:
    admission = Admission(slots=1)
    with await admission.admit():
        admission.is_draining = True


class Clock:
    """Stands still until it is set."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class FullHouse:
    """An admission whose slots were all taken at 0 s, with a clock of its own."""

    def __init__(self, admission: Admission, clock: Clock, taken: list[Slot]) -> None:
        self.admission = admission
        self.clock = clock
        self.taken = taken

    @classmethod
    async def of(cls, slots: int = 2, *, patience_s: float = 60) -> "FullHouse":
        clock = Clock()
        admission = Admission(slots=slots, patience_s=patience_s, clock=clock)
        return cls(admission, clock, [await admission.admit() for _ in range(slots)])

    def free_one(self) -> None:
        with self.taken.pop():
            pass

    def is_refused_at_once(self) -> bool:
        """Return whether the next request is refused within this turn of the event loop."""
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
        """Return how many slots are free, by taking them all within this turn of the event loop."""
        with ExitStack() as stack:
            count = 0
            while self._takes_slot(stack):
                count += 1
        return count

    def _takes_slot(self, stack: ExitStack) -> bool:
        coming = self.admission.admit()
        try:
            coming.send(None)
        except StopIteration as admitted:
            stack.enter_context(admitted.value)
            return True
        coming.close()
        return False


async def test_a_request_that_finds_every_slot_taken_waits_for_the_next_in_order() -> None:
    house = await FullHouse.of()
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


async def test_only_requests_whose_turn_is_likely_to_come_in_time_wait() -> None:
    house = await FullHouse.of(3, patience_s=0.06)
    house.clock.now_s = 0.012  # none has finished since, so 48 ms are enough for at most four
    waiting = await house.wait_in_line(4)
    assert house.is_refused_at_once()
    house.clock.now_s = 0.020
    house.free_one()
    house.free_one()  # one every 10 ms: two wait, and four could
    await asyncio.gather(*waiting[:2])
    await house.wait_in_line(2)
    assert house.is_refused_at_once()


async def test_no_request_waits_if_requests_take_seconds() -> None:
    house = await FullHouse.of(patience_s=0.06)
    house.clock.now_s = 2.0
    assert house.is_refused_at_once()


async def test_at_most_twice_as_many_requests_wait_as_there_are_slots() -> None:
    house = await FullHouse.of(3)
    await house.wait_in_line(6)
    assert house.is_refused_at_once()


async def test_a_burst_after_a_quiet_time_waits_as_usual() -> None:
    clock = Clock()
    admission = Admission(slots=2, patience_s=60, clock=clock)
    with await admission.admit():  # a long one, so that the service is never idle
        for _ in range(300):
            clock.now_s += 100
            with await admission.admit():
                pass
        burst = await admission.admit()
        waiting = asyncio.create_task(admission.admit())
        await asyncio.sleep(0)
        with burst:
            pass
        with await waiting:
            pass


async def test_retry_after_is_the_time_that_the_slots_in_use_take_to_drain() -> None:
    house = await FullHouse.of(3, patience_s=0.06)
    house.clock.now_s = 2.0
    assert (await refusal(house.admission)).retry_after_s == 6  # at most one every two seconds


async def test_a_request_that_waits_in_vain_is_refused_and_leaves_no_trace() -> None:
    house = await FullHouse.of(patience_s=0)
    for _ in range(5):
        with pytest.raises(QueueFullError, match="All 2 places"):
            await house.admission.admit()
    assert not house.is_refused_at_once()  # as the fifth in line would be
    house.free_one()
    assert house.free_slots() == 1


@pytest.mark.parametrize("has_its_slot", [True, False])
async def test_a_client_that_leaves_while_it_waits_keeps_no_slot(*, has_its_slot: bool) -> None:
    house = await FullHouse.of()
    (waiting,) = await house.wait_in_line()
    if has_its_slot:
        house.free_one()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    if not has_its_slot:
        house.free_one()
    assert house.free_slots() == 1


async def test_no_request_waits_while_draining() -> None:
    house = await FullHouse.of()
    house.admission.is_draining = True
    with pytest.raises(NotReadyError):
        await house.admission.admit()


@pytest.mark.parametrize("is_granted", [True, False])
async def test_a_request_that_waits_when_draining_begins_is_refused_as_draining(*, is_granted: bool) -> None:
    house = await FullHouse.of(patience_s=60 if is_granted else 0)
    (waiting,) = await house.wait_in_line()
    house.admission.is_draining = True
    if is_granted:
        house.free_one()
    with pytest.raises(NotReadyError):
        await waiting
    house.admission.is_draining = False
    assert house.free_slots() == is_granted


def make_caller(max_share: float = 0.5) -> Caller:
    return Caller(Key(name="shop", sha256=digest("secret"), max_share=max_share))


@pytest.mark.parametrize(("max_share", "slots", "limit"), [(0.5, 4, 2), (0.5, 5, 2), (0.01, 4, 1), (1, 4, 4)])
async def test_a_caller_holds_at_most_its_share_of_the_slots(max_share: float, slots: int, limit: int) -> None:
    admission = Admission(slots=slots, patience_s=0)
    caller = make_caller(max_share)
    with ExitStack() as stack:
        for _ in range(limit):
            stack.enter_context(await admission.admit(caller))
        with pytest.raises(ShareExceededError) as refused:
            await admission.admit(caller)
        assert refused.value.limit == limit
        for _ in range(slots - limit):  # the rest is for others
            stack.enter_context(await admission.admit(make_caller(1)))
    with await admission.admit(caller):
        assert caller.held == 1


async def test_a_request_that_waits_counts_for_its_callers_share() -> None:
    house = await FullHouse.of(2)
    caller = make_caller()
    waiting = asyncio.create_task(house.admission.admit(caller))
    await asyncio.sleep(0)
    with pytest.raises(ShareExceededError):
        await house.admission.admit(caller)
    house.free_one()
    with await waiting:
        assert caller.held == 1
    assert caller.held == 0


async def test_a_request_that_is_refused_does_not_count_for_its_callers_share() -> None:
    house = await FullHouse.of(patience_s=0)
    caller = make_caller()
    for _ in range(3):
        with pytest.raises(QueueFullError):
            await house.admission.admit(caller)
    assert caller.held == 0
