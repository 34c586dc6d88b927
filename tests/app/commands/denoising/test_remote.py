"""Denoising with services that are busy, broken or gone."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from app.__main__ import main
from app.access.key_file import digest
from app.commands.denoising.remote import TRIES
from app.main import create_app
from app.settings import Settings
from tests.app.fakes import load_fake
from tests.app.processes import denoise, files
from tests.app.serving import Response, answering, serving

MODELS = {"default": "tiny", "auto": {"small_side_px": 64, "small": "tiny", "large": "tiny"}, "models": []}

HEADERS = {
    "Content-Type": "image/png", "Server-Timing": "total;dur=1", "X-Batch-Size": "1", "X-Input-Size": "28x28",
    "X-Model-Name": "tiny", "X-Model-Version": "2", "X-Request-ID": "1",
}  # fmt: skip


def service(
    respond: Callable[[bytes], Response | None], models: Callable[[], Response | None] | None = None
) -> AbstractContextManager[str]:
    """Serve a list of models, and answer pictures with what ``respond`` returns."""

    def handle(path: str, body: bytes) -> Response | None:
        if path == "/v1/models":
            return models() if models else (200, {}, json.dumps(MODELS).encode())
        return respond(body)

    return answering(handle)


def problem(status: int, **headers: str) -> Response:
    body = {"type": "/problems/busy", "title": "Busy", "status": status, "detail": "The service is busy."}
    return status, {"Retry-After": "0"} | headers, json.dumps(body).encode()


@pytest.mark.parametrize("status", [429, 503])
def test_a_picture_is_sent_again_while_the_service_is_busy(pictures: Path, tmp_path: Path, status: int) -> None:
    busy = [problem(status), problem(status)]
    with service(lambda body: busy.pop() if busy else (200, HEADERS, body)) as address:
        assert denoise(pictures, "-o", tmp_path / "out", "--url", address) == 0
    assert busy == []
    assert files(tmp_path / "out") == ["a.png", "b.png", "sub/deep/c.png"]


def test_a_picture_fails_if_the_service_stays_busy(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[bytes] = []

    def refuse(body: bytes) -> Response:
        asked.append(body)
        return problem(503)

    with service(refuse) as address:
        assert denoise(pictures / "a.png", "-o", tmp_path / "out", "--url", address) == 1
    assert len(asked) == TRIES
    assert "The service is busy." in capsys.readouterr().err


def test_a_response_of_another_kind_is_a_failure(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with service(lambda body: (502, {}, b"<h1>Bad gateway</h1>")) as address:
        assert denoise(pictures / "a.png", "-o", tmp_path / "out", "--url", address) == 1
    assert "answered with status 502" in capsys.readouterr().err


def test_a_picture_that_breaks_the_connection_fails_alone(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pictures / "b.png").write_bytes(b"poison")
    with service(lambda body: None if body == b"poison" else (200, HEADERS, body)) as address:
        assert denoise(pictures, "-o", tmp_path / "out", "--url", address) == 1
    assert files(tmp_path / "out") == ["a.png", "sub/deep/c.png"]
    assert "the connection broke" in capsys.readouterr().err


def test_a_service_that_goes_away_ends_the_run(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    looks: list[Response] = [(200, {}, json.dumps(MODELS).encode())]
    with service(lambda body: None, lambda: looks.pop() if looks else None) as address:
        assert denoise(pictures, "-o", tmp_path / "out", "--url", address, "--connections", 1) == 1
    told = capsys.readouterr().err
    assert f"{address} cannot be reached" in told
    assert "3 not done" in told


def test_the_key_is_sent_and_asked_for(
    pictures: Path, tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": [{"name": "shop", "sha256": digest("secret")}]}))
    app = create_app(Settings(model_store=store, default_model="tiny", keys_file=keys), load=load_fake)
    with serving(app) as address:
        arguments = [pictures / "a.png", "-o", tmp_path / "out", "--url", address]
        assert denoise(*arguments) == 1
        assert "it wants a key: put one into DENOISER_KEY, or give it with --key" in capsys.readouterr().err
        assert denoise(*arguments, "--key", "another") == 1
        assert "does not know this key" in capsys.readouterr().err
        assert denoise(*arguments, "--key", "secret") == 0
        monkeypatch.setenv("DENOISER_KEY", "secret")
        assert main(["models", "--url", address]) == 0


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["denoise", "IN", "-o", "OUT", "--key", "secret"], "--key"),
        (["denoise", "IN", "-o", "OUT", "-c", "2"], "--connections"),
        (["models", "--key", "secret"], "--key"),
    ],
)
def test_an_option_for_a_service_without_its_address_is_an_error(
    pictures: Path, tmp_path: Path, arguments: list[str], option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"IN": str(pictures), "OUT": str(tmp_path / "out")}
    assert main([places.get(word, word) for word in arguments]) == 2
    assert f"{option} is for a service: say with --url which one" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["denoise", "IN", "-o", "OUT"], ["models"]], ids=lambda words: words[0])
@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://127.0.0.1:9", "http://127.0.0.1:9 cannot be reached: Connection refused; is the service running"),
        ("localhost:8000", "starts with http://"),
    ],
)
def test_an_address_without_a_service_is_a_short_error(
    pictures: Path, tmp_path: Path, arguments: list[str], address: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"IN": str(pictures), "OUT": str(tmp_path / "out")}
    assert main([*(places.get(word, word) for word in arguments), "--url", address]) in (1, 2)
    assert words in capsys.readouterr().err


def test_an_address_of_another_service_is_a_short_error(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(lambda path, body: (404, {}, b"nothing here")) as address:
        assert main(["models", "--url", address]) == 1
    assert "is no denoiser (status 404" in capsys.readouterr().err
