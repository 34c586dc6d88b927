"""End a run on Ctrl-C or SIGTERM, also where Python loses the exception that they raise."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class Terminated(KeyboardInterrupt):
    """SIGTERM, which ends a run as Ctrl-C does."""


_received: list[KeyboardInterrupt] = []


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt, and SIGTERM Terminated; a signal that was ignored before stays so."""
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    _received.clear()
    for number, handler in usual.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)


def raise_if_interrupted() -> None:
    """Raise again what a signal has raised: Python drops exceptions inside finalizers, of which a step has many."""
    if _received:
        raise _received[0]


def _interrupt(number: int, _frame: object) -> None:
    _received.append(Terminated() if number == signal.SIGTERM else KeyboardInterrupt())
    raise _received[0]
