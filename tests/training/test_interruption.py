import signal

import pytest

from training.interruption import Terminated, interruptible, raise_if_interrupted


@pytest.mark.parametrize(("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)])
def test_a_signal_whose_exception_was_lost_is_raised_again(
    number: signal.Signals, error: type[KeyboardInterrupt]
) -> None:
    usual = signal.getsignal(number)
    with interruptible():
        raise_if_interrupted()
        with pytest.raises(error):
            signal.raise_signal(number)
        with pytest.raises(error):
            raise_if_interrupted()
    assert signal.getsignal(number) == usual
    with interruptible():
        raise_if_interrupted()


def test_a_signal_that_is_ignored_stays_so() -> None:
    usual = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interruptible():
            signal.raise_signal(signal.SIGINT)
            raise_if_interrupted()
    finally:
        signal.signal(signal.SIGINT, usual)
