"""``completion``: a script for bash, zsh or fish that makes ``denoiser`` a command and completes what follows it."""

import shlex
import sys
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from app.commands.configuration import CommandError
from app.commands.examples import examples

COMMAND, VARIABLE = "denoiser", "_DENOISER_COMPLETE"
CHECKOUT = Path(__file__).resolve().parents[2]
SHELLS = ("bash", "zsh", "fish")
NOT_A_FUNCTION = f"(( ! $+commands[{COMMAND}] )) && return 1"  # click's script for zsh wants a file in PATH

# How click's scripts call the program, which has to be found outside of the checkout, too.
CALLS = {"bash": "bash_complete $1", "zsh": f"zsh_complete {COMMAND}", "fish": f"(commandline -t) {COMMAND}"}


@click.command(
    help=f"""Print a script that defines the command {COMMAND}, which runs from any folder, and completes commands,
    options, their values, models and files. Put it where your shell reads it at its start; for zsh, after compinit.""",
    short_help="Print a completion script for bash, zsh or fish.",
    epilog=examples(
        "completion bash >> ~/.bashrc",
        "completion zsh >> ~/.zshrc",
        "completion fish > ~/.config/fish/conf.d/denoiser.fish",
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print a script."""
    completion = get_completion_class(shell)
    if completion is None:
        raise CommandError(f"click cannot complete in {shell}")
    script = completion(context.find_root().command, {}, COMMAND, VARIABLE).source()
    program = f"env PYTHONPATH={shlex.quote(str(CHECKOUT))} {shlex.quote(sys.executable)} -P -m app"
    call = CALLS[shell]
    click.echo(_define(shell, program))
    click.echo(script.replace(call, f"{call.rsplit(' ', 1)[0]} {program}").replace(NOT_A_FUNCTION, ""))


def _define(shell: str, program: str) -> str:
    if shell == "fish":
        return f"function {COMMAND}\n    {program} $argv\nend"
    return f'{COMMAND}() {{\n    {program} "$@"\n}}'
