"""Each command's help ends with examples, which use options that exist."""

import re

import click
import pytest

from app.__main__ import COMMANDS, commands, main

PATHS = [[], *([name] for name in COMMANDS), ["keys", "add"], ["keys", "list"], ["keys", "remove"]]


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_help_ends_with_examples(path: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*path, "--help"]) == 0
    told = capsys.readouterr().out
    lines = re.findall(r"^    python -m app (.*)$", told[told.index("Examples:") :], re.MULTILINE)
    assert lines
    for line in lines:
        words = re.sub(r" [<>].*", "", line).split()
        context = click.Context(commands)
        command: click.Command = commands
        while isinstance(command, click.Group) and (found := command.get_command(context, words[0])):
            command, words = found, words[1:]
        given = {word for word in words if word.startswith("-") and word != "-"}
        known = {flag for parameter in command.get_params(context) for flag in parameter.opts}
        assert given <= known | {"--help"}
