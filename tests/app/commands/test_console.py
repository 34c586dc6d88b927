import pytest

from app.commands.console import PLAIN_WIDTH, stderr_console, stdout_console


def test_lines_that_go_to_a_program_are_not_wrapped(capsys: pytest.CaptureFixture[str]) -> None:
    path = "a/" * (PLAIN_WIDTH // 2 - 1)
    stdout_console().print(path)
    stderr_console().print(path)
    assert [text.splitlines() for text in capsys.readouterr()] == [[path], [path]]
