"""Log records as text and as JSON."""

import json
import logging
from collections.abc import Iterator
from datetime import datetime

import pytest

from app.telemetry.logs import Form, JsonFormatter, Level, TextFormatter, configure_logging


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


@pytest.fixture
def restored_logging() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in (None, "app", "absl", "uvicorn")]
    before = [(logger, logger.handlers[:], logger.level) for logger in loggers]
    yield
    for logger, handlers, level in before:
        logger.handlers = handlers
        logger.setLevel(level)


@pytest.mark.usefixtures("restored_logging")
@pytest.mark.parametrize("form", ["text", "json"])
def test_logging_is_configured_for_the_whole_process(form: Form) -> None:
    configure_logging(form, "info")
    expected = {"text": TextFormatter, "json": JsonFormatter}[form]
    assert any(isinstance(handler.formatter, expected) for handler in logging.getLogger().handlers)


@pytest.mark.usefixtures("restored_logging")
@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("debug", ["app DEBUG", "app INFO", "PIL INFO", "app WARNING", "uvicorn WARNING", "app ERROR"]),
        ("info", ["app INFO", "PIL INFO", "app WARNING", "uvicorn WARNING", "app ERROR"]),
        ("warning", ["app WARNING", "uvicorn WARNING", "app ERROR"]),
    ],
)
def test_the_level_decides_what_is_logged(
    level: Level, expected: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("json", level)
    said = [
        "app DEBUG",
        "PIL DEBUG",
        "app INFO",
        "PIL INFO",
        "uvicorn INFO",
        "app WARNING",
        "uvicorn WARNING",
        "app ERROR",
    ]
    for name, severity in map(str.split, said):
        logging.getLogger(f"{name}.part").log(getattr(logging, severity), "said")
    entries = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [f"{entry['logger'].partition('.')[0]} {entry['level']}" for entry in entries] == expected
