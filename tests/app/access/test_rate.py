"""GCRA."""

import pytest

from app.access.rate import Rate


def test_requests_at_even_distances_pass() -> None:
    rate = Rate(per_s=4, burst=1)
    assert [rate.take(now) for now in (0, 0.25, 0.5, 0.75)] == [0, 0, 0, 0]


def test_one_that_comes_too_early_learns_when_it_may_come() -> None:
    rate = Rate(per_s=2, burst=1)
    assert rate.take(10) == 0
    assert rate.take(10.125) == 0.375
    assert rate.take(10.5) == 0


def test_a_refused_one_takes_nothing() -> None:
    rate = Rate(per_s=1, burst=1)
    rate.take(0)
    assert [rate.take(0.5) for _ in range(3)] == [0.5, 0.5, 0.5]


@pytest.mark.parametrize("quiet_s", [0, 1000])
def test_after_a_quiet_time_a_burst_passes_at_once_and_no_more(quiet_s: float) -> None:
    rate = Rate(per_s=2, burst=3)
    assert [rate.take(quiet_s) for _ in range(4)] == [0, 0, 0, 0.5]


def test_over_any_time_no_more_pass_than_the_rate_and_one_burst() -> None:
    rate = Rate(per_s=50, burst=10)
    passed = sum(rate.take(step / 1000) == 0 for step in range(2000))  # 1,000 a second, for 2 s
    assert passed == 10 + 2 * 50 - 1  # the last would pass at 2 s
