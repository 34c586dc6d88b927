"""What the environment can set, and what it cannot."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.settings import Settings


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),  # noqa: S104  # all addresses, of which loopback is one
        ("::", "http://[::1]:80"),
        ("::1", "http://[::1]:80"),
        ("example.org", "http://example.org:80"),
    ],
)
def test_a_local_client_reaches_the_service_at(host: str, url: str) -> None:
    assert Settings(host=host).local_url(80) == url


@pytest.mark.parametrize(
    ("given", "origins"),
    [
        ("https://a.org, https://b.org", ("https://a.org", "https://b.org")),
        (" https://a.org ,,", ("https://a.org",)),
        ("*", ("*",)),
        ("", ()),
    ],
)
def test_origins_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch, given: str, origins: tuple[str, ...]) -> None:
    monkeypatch.setenv("DENOISER_CORS_ORIGINS", given)
    assert Settings().cors_origins == origins


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    default = Settings().port
    monkeypatch.setenv("DENOISER_PORT", "")
    assert Settings().port == default


@pytest.mark.parametrize(
    "wrong",
    [{"port": 65536}, {"port": -1}, {"workers": 0}, {"queue_size": 0}, {"drain_grace_s": -1}, {"inference_threads": 0},
     {"precision": "float16"}, {"prot": 80}, {"metrics_port": 8000}, {"metrics_port": 0}],
    ids=str,
)  # fmt: skip
def test_a_value_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Settings(**wrong)


def test_settings_stay_as_they_were_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DENOISER_PORT", "81")
    settings = Settings()
    monkeypatch.setenv("DENOISER_PORT", "82")
    assert settings.port == 81
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 83  # type: ignore[misc]  # it is frozen
