import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext

import pytest

from app.errors import ClientGoneError
from app.processing.steps import finish_unless_client_leaves, run_step

pytestmark = pytest.mark.anyio


async def never() -> None:
    await asyncio.get_running_loop().create_future()


@contextmanager
def leaving(leave: Callable[[], None]) -> Iterator[None]:
    asyncio.get_running_loop().call_soon(leave)
    yield


async def test_a_small_step_runs_here_and_another_in_a_thread() -> None:
    with ThreadPoolExecutor(1) as pool:
        assert await run_step(threading.get_ident, is_small=True, pool=pool) == threading.get_ident()
        assert await run_step(threading.get_ident, is_small=False, pool=pool) != threading.get_ident()


async def test_work_of_a_client_that_stays_is_finished() -> None:
    assert await finish_unless_client_leaves(asyncio.sleep(0, "done"), nullcontext) == "done"


async def test_work_of_a_client_that_leaves_is_ended() -> None:
    with pytest.raises(ClientGoneError):
        await finish_unless_client_leaves(never(), leaving)


async def test_a_cancelled_request_cancels_its_work() -> None:
    request = asyncio.create_task(finish_unless_client_leaves(never(), nullcontext))
    await asyncio.sleep(0)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
