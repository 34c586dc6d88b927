"""``python -m app health``."""

import socket

import pytest

from app.__main__ import main
from tests.app.processes import command
from tests.app.serving import Response, answering


def test_health_fails_if_nothing_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        ended = command("health", "--host", "0.0.0.0", "--port", str(unused.getsockname()[1]))  # noqa: S104  # asked
    assert ended.returncode == 1
    assert "http://127.0.0.1" in ended.stderr


def ask(address: str) -> int:
    return main(["health", "--port", address.rpartition(":")[2]])


def test_health_succeeds_if_the_service_is_ready(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(url) == 0
    assert capsys.readouterr().out == f"{url}/readyz: ready\n"


@pytest.mark.parametrize("response", [(503, {}, b"draining"), None], ids=["not ready", "broken connection"])
def test_health_fails_if_the_service_is_not_ready(
    response: Response | None, capsys: pytest.CaptureFixture[str]
) -> None:
    with answering(lambda _path, _body: response) as address:
        assert ask(address) == 1
    assert f"{address}/readyz: not ready: " in capsys.readouterr().err


def test_health_does_not_ask_through_a_proxy(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert ask(url) == 0
