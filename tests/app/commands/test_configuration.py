"""What is wrong with settings and stores, as commands report it."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.commands.configuration import CommandError, CommandUsageError, read_settings, read_store, unknown_variables
from tests.app.processes import REPOSITORY, command, environment


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


def test_all_wrong_settings_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DENOISER_PORT", "eighty")
    with pytest.raises(CommandUsageError, match=r"DENOISER_PORT: .*'eighty'\n.*DENOISER_WORKERS: .*0"):
        read_settings(workers=0)


def test_an_option_overrides_the_environment_only_if_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DENOISER_PORT", "1234")
    assert read_settings(port=None).port == 1234
    assert read_settings(port=5678).port == 5678


def test_a_store_that_cannot_be_used_ends_a_command_with_exit_code_1(store: Path) -> None:
    (store / "tiny/2/metadata.json").write_text("{")
    with pytest.raises(CommandError, match="tiny/2") as ending:
        read_store(read_settings())
    assert ending.value.exit_code == 1


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("DENOISER_KEEPALIVE_S", "DENOISER_KEEPALIVE_S is no setting; is DENOISER_KEEP_ALIVE_S meant?"),
        ("denoiser_max_pixel", "denoiser_max_pixel is no setting; is DENOISER_MAX_PIXELS meant?"),
        ("DENOISER_COLOUR", "DENOISER_COLOUR is no setting"),
        ("DENOISER_", "DENOISER_ is no setting"),
    ],
)
def test_a_variable_that_is_no_setting_is_named_with_what_may_be_meant(name: str, complaint: str) -> None:
    assert list(unknown_variables({name: "1", "DENOISER_PORT": "1", "denoiser_host": "a", "PATH": "/"})) == [complaint]


def test_a_runtime_that_is_not_installed_stops_the_start() -> None:
    program = """if True:
        import sys
        sys.modules["openvino"] = None
        from app.__main__ import main
        sys.exit(main(["serve", "--port", "0"]))
    """
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        env=environment({"runtime": "openvino"}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("denoiser: DENOISER_RUNTIME=openvino: this Python has no package openvino; ")
