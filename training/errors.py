"""What can go wrong for a reason that the person at the command line can mend.

TrainingError
├── DataError       the images are missing, unreadable, too few, or no pairs
├── RunError        the run folder does not fit what was asked
└── StoreError      the model store cannot take this version, or a SavedModel breaks the contract
"""


class TrainingError(Exception):
    """Its text says what is wrong and what to do, in one line; further lines list files."""


class DataError(TrainingError):
    """The images are missing, unreadable, too few, or do not match as pairs."""


class RunError(TrainingError):
    """The run folder does not fit what was asked."""


class StoreError(TrainingError):
    """The model store cannot take this version, or a SavedModel breaks the contract."""
