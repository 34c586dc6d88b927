"""How a step of the work runs: here or in a thread, and only as long as its client stays."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from app.errors import ClientGoneError

T = TypeVar("T")

Watch = Callable[[Callable[[], None]], AbstractContextManager[object]]
"""Takes what ends the work, for a ``with`` block, and calls it if the client leaves meanwhile."""


async def run_step(step: Callable[[], T], *, is_small: bool, pool: Executor) -> T:
    """Run a step here if it is small, else in a thread of ``pool``."""
    return step() if is_small else await asyncio.get_running_loop().run_in_executor(pool, step)


async def finish_unless_client_leaves(work: Coroutine[Any, Any, T], watch: Watch) -> T:
    """Return the result of ``work``, which is cancelled if this is cancelled or the client leaves.

    Raises:
        ClientGoneError: the client left.
    """
    task = asyncio.ensure_future(work)

    def leave() -> None:
        task.cancel()

    try:
        with watch(leave):
            return await task
    except asyncio.CancelledError:
        current = asyncio.current_task()
        if current is None or current.cancelling():
            raise
        raise client_gone() from None


def client_gone() -> ClientGoneError:
    """Return the error of a request whose client has left."""
    return ClientGoneError("The client closed the connection.")
