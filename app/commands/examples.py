"""Examples at the end of a command's help."""

PROGRAM = "python -m app"


def examples(*lines: str) -> str:
    """Return the epilog of a help text: each line is what follows the name of the program."""
    return "\n".join(["\b", "Examples:", *(f"  {PROGRAM} {line}" for line in lines)])
