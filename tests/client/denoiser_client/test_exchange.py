from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from denoiser_client.exchange import MAX_WAIT_S, WAIT_S, http_options, retry_after_s


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
