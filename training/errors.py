"""Errors that the user of the command line can fix."""

from collections.abc import Sequence

MAX_LISTED = 10  # further files are only counted


class TrainingError(Exception):
    """The first line says what is wrong and what to do; further lines list files."""


class DataError(TrainingError):
    """The images are missing, unreadable, too few, or do not match as pairs."""

    @classmethod
    def of_files(cls, summary: str, problems: Sequence[str]) -> "DataError":
        """Return an error with a line for each of the first ``MAX_LISTED`` files."""
        more = [f"and {len(problems) - MAX_LISTED} more"] if len(problems) > MAX_LISTED else []
        return cls("\n  ".join([summary, *problems[:MAX_LISTED], *more]))


class RunError(TrainingError):
    """The run folder does not match the request."""


class StoreError(TrainingError):
    """The model store cannot take this version, or a SavedModel breaks the contract."""
