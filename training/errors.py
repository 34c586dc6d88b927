"""Errors that the user of the command line can fix."""


class TrainingError(Exception):
    """The first line says what is wrong and what to do; further lines list files."""


class DataError(TrainingError):
    """The images are missing, unreadable, too few, or do not match as pairs."""


class RunError(TrainingError):
    """The run folder does not match the request."""


class StoreError(TrainingError):
    """The model store cannot take this version, or a SavedModel breaks the contract."""
