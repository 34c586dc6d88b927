"""The command line: ``python -m app serve``, ``denoise``, ``models``, ``keys`` and ``health``."""

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from app import __version__

NOT_INSTALLED = (
    "denoiser: this Python has no package {name!r}; `make install` installs all that is needed, for "
    ".venv/bin/python -m app"
)

try:
    import click

    from app.commands.examples import examples
except ModuleNotFoundError as error:
    sys.exit(NOT_INSTALLED.format(name=error.name))

COMMANDS = {
    "serve": "Start the service.",
    "denoise": "Clean pictures, folders of them, or standard input.",
    "models": "List the models.",
    "keys": "Add, list and remove the keys of the service.",
    "health": "Ask whether a service is ready.",
    "completion": "Print a completion script for bash, zsh or fish.",
}
COMPLETION_VARIABLE = "_DENOISER_COMPLETE"  # set by the scripts of the command `completion`
INTERRUPTED = 130  # what shells report for a process that SIGINT ended


class Commands(click.Group):
    """Imports a command only when it is used, so that --help and health wait for neither FastAPI nor a runtime."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click calls it
        """Return the names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # likewise
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"app.commands.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # likewise
        """List the commands, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=Commands,
    help="denoiser: noisy pictures in, clean ones out, as an HTTP service or on the command line.",
    epilog="Settings come from environment variables with the prefix DENOISER_; docs/settings.md lists them.\n\n"
    + examples("denoise photo.jpg -o clean.png", "serve", "denoise --help"),
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=False,
)
@click.version_option(__version__, message="denoiser %(version)s")
def commands() -> None:
    """Group the commands."""


def main(arguments: Sequence[str] | None = None, *, load: Callable[[Path], Any] | None = None) -> int:
    """Run one command and return the exit code of the process.

    Args:
        arguments: by default, those of the process.
        load: how ``serve`` and ``denoise`` load a version's folder; by default, with the runtime of the settings.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments and COMPLETION_VARIABLE not in os.environ:
        click.echo(
            "denoiser: say what to do, for example `python -m app denoise photo.jpg -o clean.png`, or --help", err=True
        )
        return click.UsageError.exit_code
    try:
        code: int | None = commands.main(
            arguments, prog_name="python -m app", standalone_mode=False, obj=load, complete_var=COMPLETION_VARIABLE
        )
    except ModuleNotFoundError as error:
        if (error.name or "app").partition(".")[0] == "app":
            raise
        click.echo(NOT_INSTALLED.format(name=error.name), err=True)
        return 1
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    return code or 0


if __name__ == "__main__":
    sys.exit(main())
