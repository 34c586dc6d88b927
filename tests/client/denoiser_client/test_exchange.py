from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2 as httpx
import pytest
from denoiser_client.exchange import MAX_WAIT_S, WAIT_S, Attempts, http_options, retry_after_s


@pytest.mark.parametrize(
    ("value", "seconds"), [("0", 0), ("7", 7), ("86400", MAX_WAIT_S), ("", WAIT_S), ("soon", WAIT_S)]
)
def test_retry_after_in_seconds_has_a_limit_and_a_default(value: str, seconds: float) -> None:
    assert retry_after_s(value) == seconds


def test_retry_after_may_be_a_date() -> None:
    now = datetime.now(UTC)
    assert retry_after_s(format_datetime(now + timedelta(seconds=30), usegmt=True)) == pytest.approx(30, abs=2)
    assert retry_after_s(format_datetime(now - timedelta(days=1), usegmt=True)) == 0
    assert retry_after_s(format_datetime(now + timedelta(days=1), usegmt=True)) == MAX_WAIT_S


def test_a_key_is_a_header() -> None:
    assert http_options("http://a", "secret", None, None)["headers"]["X-API-Key"] == "secret"
    assert "X-API-Key" not in http_options("http://a", None, None, None)["headers"]


def test_requests_that_were_refused_together_come_back_one_by_one_and_not_before_they_may() -> None:
    busy = httpx.Response(429, headers={"Retry-After": "2"})
    waits_s = [wait_s for wait_s in (Attempts(5).wait_after(busy) for _ in range(8)) if wait_s is not None]
    assert len(set(waits_s)) == 8
    assert all(2 <= wait_s <= 4 for wait_s in waits_s)


def test_no_wait_is_longer_than_the_longest() -> None:
    attempts = Attempts(4)
    busy = httpx.Response(503, headers={"Retry-After": "50"})
    assert [attempts.wait_after(busy) or 0 for _ in range(4)] == [*[pytest.approx(55, abs=5)] * 3, 0]
