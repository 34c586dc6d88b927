"""What the commands print to: a terminal, or a file or program that reads whole lines."""

import sys

from rich.console import Console

PLAIN_WIDTH = 1000  # columns of what goes to a file or another program: long paths are not broken


def stdout_console() -> Console:
    """Return a console on stdout; if stdout is not a terminal, lines are not wrapped at a terminal's width."""
    return Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)


def stderr_console() -> Console:
    """Return a console on stderr, in the same way."""
    return Console(stderr=True, width=None if sys.stderr.isatty() else PLAIN_WIDTH)
