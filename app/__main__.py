"""The command line: ``python -m app serve``, ``denoise``, ``models``, ``keys`` and ``health``."""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from app import __version__

COMMANDS = {
    "serve": "Start the service.",
    "denoise": "Clean pictures, folders of them, or standard input.",
    "models": "List the models.",
    "keys": "Add, list and remove the keys of the service.",
    "health": "Ask whether a service is ready.",
}
INTERRUPTED = 130  # what shells report for a process that SIGINT ended


class Commands(click.Group):
    """Imports a command only when it is used, so that --help and health wait for neither FastAPI nor TensorFlow."""

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
    epilog="Settings come from environment variables with the prefix DENOISER_; docs/settings.md lists them.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="denoiser %(version)s")
def commands() -> None:
    """Group the commands."""


def main(arguments: Sequence[str] | None = None, *, load: Callable[[Path], Any] | None = None) -> int:
    """Run one command and return the exit code of the process.

    Args:
        arguments: by default, those of the process.
        load: how ``serve`` and ``denoise`` load a version's folder; by default, with TensorFlow.
    """
    try:
        code: int | None = commands.main(arguments, prog_name="python -m app", standalone_mode=False, obj=load)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    return code or 0


if __name__ == "__main__":
    sys.exit(main())
