"""``python -m app``: help, version, health, and wrong settings."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from app import __version__
from tests.app.processes import REPOSITORY, command


def test_the_version_is_that_of_the_project() -> None:
    assert command("--version").stdout == f"denoiser {__version__}\n"


def test_help_names_the_commands() -> None:
    ended = command("--help")
    assert ended.returncode == 0
    for name in ("serve", "denoise", "models", "health"):
        assert name in ended.stdout


def test_no_command_is_an_error_that_shows_the_usage() -> None:
    ended = command()
    assert ended.returncode == 2
    assert "Usage: python -m app" in ended.stderr


def test_health_fails_if_nothing_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        ended = command("health", "--host", "0.0.0.0", "--port", str(unused.getsockname()[1]))  # noqa: S104  # asked
    assert ended.returncode == 1
    assert "http://127.0.0.1" in ended.stderr


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["health", "--port", "1"]], ids=lambda words: words[0]
)
def test_the_small_commands_wait_neither_for_tensorflow_nor_for_fastapi(arguments: list[str]) -> None:
    code = f"""
import sys
from pathlib import Path
from app.__main__ import main
try:
    main({arguments!r})
except SystemExit:
    pass
sys.exit(any(name in sys.modules for name in ("tensorflow", "fastapi")))
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, check=False)
    assert ended.returncode == 0


@pytest.mark.parametrize(
    ("setting", "value"),
    [("port", "eighty"), ("workers", "0"), ("max_pixels", "-1"), ("log_format", "xml"), ("request_timeout_s", "0")],
    ids=str,
)
def test_a_wrong_setting_is_named_with_its_value(setting: str, value: str) -> None:
    ended = command("serve", **{setting: value})
    assert ended.returncode == 2
    assert f"DENOISER_{setting.upper()}" in ended.stderr
    assert value in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_missing_store_is_a_short_error(tmp_path: Path) -> None:
    ended = command("serve", model_store=f"{tmp_path}/nowhere")
    assert ended.returncode == 1
    assert "nowhere: the model store is not a folder" in ended.stderr
