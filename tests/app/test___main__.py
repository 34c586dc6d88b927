"""``python -m app``: help, version, what is imported, and how a command ends."""

import subprocess
import sys
from pathlib import Path

import pytest

from app import __version__
from app.imaging.samples import FloatImage
from app.inference.denoiser import NoiseLevels
from tests.app.fakes import IdentityDenoiser
from tests.app.processes import REPOSITORY, command, denoise


def test_the_version_is_that_of_the_project() -> None:
    assert command("--version").stdout == f"denoiser {__version__}\n"


def test_help_names_the_commands() -> None:
    ended = command("--help")
    assert ended.returncode == 0
    for name in ("serve", "denoise", "models", "health"):
        assert name in ended.stdout


def test_no_command_is_an_error_of_one_sentence() -> None:
    ended = command()
    assert ended.returncode == 2
    assert ended.stderr.startswith("denoiser: say what to do, for example `python -m app denoise")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(("package", "arguments"), [("click", []), ("numpy", ["denoise", "--help"])])
def test_a_missing_package_is_an_error_of_one_sentence(tmp_path: Path, package: str, arguments: list[str]) -> None:
    """A package that cannot be found stands in for a Python without what ``make install`` installs."""
    code = f"""
import sys
sys.modules[{package!r}] = None
from app.__main__ import main
sys.exit(main({arguments!r}))
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert f"this Python has no package '{package}'; `make install` installs" in ended.stderr
    assert "Traceback" not in ended.stderr


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


def test_ctrl_c_ends_the_command_with_a_message_and_the_exit_code_of_shells(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupting(IdentityDenoiser):
        def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
            raise KeyboardInterrupt

    monkeypatch.setenv("DENOISER_MODEL_STORE", str(store))
    monkeypatch.setenv("DENOISER_DEFAULT_MODEL", "tiny")
    (tmp_path / "a.png").write_bytes(b"")
    assert denoise(tmp_path / "a.png", "-o", tmp_path / "out", network=Interrupting()) == 130
    assert "Interrupted." in capsys.readouterr().err
