"""Log records as text and as JSON."""

import json
import logging
from datetime import datetime

import pytest

from app.telemetry.logs import JsonFormatter, TextFormatter, configure_logging


def record_with(fields: dict[str, object] | None, exception: Exception | None = None) -> logging.LogRecord:
    exc_info = (type(exception), exception, None) if exception else None
    record = logging.LogRecord("app", logging.INFO, __file__, 1, "hello %s", ("you",), exc_info)
    if fields is not None:
        record.fields = fields
    return record


def test_json_records_are_one_object_with_the_fields() -> None:
    entry = json.loads(JsonFormatter().format(record_with({"status": 200}, ValueError("bad"))))
    assert entry | {"message": "hello you", "level": "INFO", "status": 200} == entry
    assert "ValueError: bad" in entry["exception"]


@pytest.mark.parametrize("created", [1.0, 1_800_000_000.9876])
def test_records_have_the_local_time(created: float) -> None:
    record = record_with({})
    record.created, record.msecs = created, created % 1 * 1000
    text, entry = TextFormatter("%(asctime)s").format(record), json.loads(JsonFormatter().format(record))
    assert text == logging.Formatter("%(asctime)s").format(record)
    assert datetime.fromisoformat(entry["time"]).timestamp() == int(created)


def test_text_records_have_the_fields_between_the_message_and_the_traceback() -> None:
    formatter = TextFormatter("%(message)s")
    assert formatter.format(record_with({"status": 200}, ValueError("bad"))).splitlines() == [
        "hello you status=200",
        "ValueError: bad",
    ]
    assert formatter.format(record_with(None)) == "hello you"


def test_input_of_a_client_cannot_pass_for_another_field_or_line_of_a_text_record() -> None:
    text = TextFormatter("%(message)s").format(record_with({"path": "/x status=200\n2026 INFO forged\x1b[31m"}))
    assert text == 'hello you path="/x status=200\\n2026 INFO forged\\u001b[31m"'


@pytest.mark.parametrize("form", ["text", "json"])
def test_logging_is_configured_for_the_whole_process(form: str) -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        configure_logging(form)  # type: ignore[arg-type]  # parametrised
        expected = {"text": TextFormatter, "json": JsonFormatter}[form]
        assert any(isinstance(handler.formatter, expected) for handler in root.handlers)
    finally:
        root.handlers, root.level = before
