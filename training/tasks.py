"""The tasks, by the names that configs give them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.config import TaskName
from training.digits.data import CleanImages
from training.digits.task import DigitsTask
from training.photos.data import CleanPhotos
from training.photos.task import PhotosTask
from training.store.metadata import read_metadata
from training.task import Task

DIGITS: Task[CleanImages] = DigitsTask()
PHOTOS: Task[CleanPhotos] = PhotosTask()
TASKS: Mapping[TaskName, Task[Any]] = {"digits": DIGITS, "photos": PHOTOS}


def find_task(folder: Path) -> Task[Any]:
    """Return the task of a version by its size, since a version from elsewhere has no config."""
    return TASKS["photos" if read_metadata(folder)["input"]["height"] is None else "digits"]
