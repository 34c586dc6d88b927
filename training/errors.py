"""What can go wrong for a reason that the person at the command line can mend.

TrainingError
├── DataError       the clean images are missing, unreadable or too few
├── RunError        the run folder does not fit what was asked
└── StoreError      the model store cannot take this version, or a SavedModel breaks the contract
"""


class TrainingError(Exception):
    """Its text is one line that says what is wrong and what to do."""


class DataError(TrainingError):
    """The clean images are missing, unreadable or too few."""


class RunError(TrainingError):
    """The run folder does not fit what was asked."""


class StoreError(TrainingError):
    """The model store cannot take this version, or a SavedModel breaks the contract."""
