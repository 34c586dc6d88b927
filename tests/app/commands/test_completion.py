"""The scripts that complete in a shell."""

import shutil
import subprocess
from pathlib import Path

import pytest

from app.__main__ import main

SHELLS = ("bash", "zsh", "fish")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_defines_the_command_and_calls_it_by_its_path(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "denoiser" in script.splitlines()[0]
    assert script.count("-P -m app") == 2
    assert "$+commands" not in script


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_and_runs_the_command_from_any_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["completion", "bash"])
    (tmp_path / "script").write_text(capsys.readouterr().out)
    lines = "source ./script; COMP_WORDS=(denoiser den); COMP_CWORD=1; _denoiser_completion; echo ${COMPREPLY[@]}"
    ended = subprocess.run(
        ["bash", "--norc", "-c", f"{lines}; denoiser --version"],  # noqa: S607  # the user's
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ended.stdout.splitlines()[0] == "denoise"
    assert ended.stdout.splitlines()[1].startswith("denoiser ")


@pytest.mark.parametrize(
    ("shell", "lines"),
    [
        ("fish", "source ./script; complete -C 'denoiser den'"),
        (
            "zsh",
            "compdef() { }; _describe() { print -r -- ${(P)3} }; source ./script; words=(denoiser den); CURRENT=2; "
            "_denoiser_completion",
        ),
    ],
)
def test_other_shells_complete_it(shell: str, lines: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    main(["completion", shell])
    (tmp_path / "script").write_text(capsys.readouterr().out)
    ended = subprocess.run([shell, "-c", lines], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "denoise" in ended.stdout, ended.stderr


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == 2
    assert "tcsh" in capsys.readouterr().err
