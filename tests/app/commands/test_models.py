"""``python -m app models``: the table of a store or of a service."""

from pathlib import Path

import pytest

from app.__main__ import main
from tests.app.fakes import write_version


@pytest.mark.parametrize("place", ["here", "service"])
def test_the_models_are_a_table(url: str, place: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", *(["--url", url] if place == "service" else [])]) == 0
    lines = capsys.readouterr().out.splitlines()
    (tiny,) = (line for line in lines if line.startswith("tiny (default)"))
    assert tiny.split()[2:] == ["1,", "2", "28x28", "light-on-dark", "20.0", "dB", "The", "second"]
    assert any("any size" in line for line in lines)
    assert lines[-1] == "auto: tiny up to 64x64 pixels and with --fit mnist, else free"


def test_auto_is_one_model_if_the_default_takes_any_size(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DENOISER_DEFAULT_MODEL", "told")
    assert main(["models"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "auto: told"


def test_auto_may_be_the_default(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_version(store, "digits")
    monkeypatch.setenv("DENOISER_DEFAULT_MODEL", "auto")
    assert main(["models"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("auto (default): digits up to")
