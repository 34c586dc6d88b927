"""What a kind of image has to provide so that networks for it can be trained, measured and published."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import keras

from training.config import Config, Stage
from training.images.noise import Images
from training.store.metadata import Metadata

if TYPE_CHECKING:  # a training on another backend needs no TensorFlow
    from matplotlib.figure import Figure

    from training.store.export import SavedNetwork


class Dataset(Protocol):
    """Images to train on; `name` goes into metadata, `are_pairs` says whether each clean image has a noisy one."""

    @property
    def name(self) -> str: ...

    @property
    def are_pairs(self) -> bool: ...


class Batches(Protocol):
    """A Keras dataset whose batches depend on seed, epoch and step alone, so that a resumed run sees the same ones."""

    def __len__(self) -> int: ...

    def start_epoch(self, epoch: int) -> None: ...


DatasetT = TypeVar("DatasetT", bound=Dataset)


@dataclass(frozen=True)
class TrainedRun(Generic[DatasetT]):
    """A run in `folder`, its exported network in memory and as a SavedModel, and the images that it was trained on."""

    config: Config
    folder: Path
    images: DatasetT
    network: keras.Model
    saved: "SavedNetwork"


class Task(Protocol[DatasetT]):
    """All that differs between kinds of images."""

    def load(self, source: str, config: Config) -> DatasetT:
        """Load the images that --data names.

        Raises:
            DataError: they are missing, unreadable, too few, or not what the network takes.
        """

    def build_network(self, config: Config) -> keras.Model:
        """Return a fresh network."""

    def batches(self, config: Config, stage: Stage, images: DatasetT, /) -> Batches:
        """Return the training batches of a stage.

        Raises:
            TypeError: the config is not one of this task.
        """

    def validation(
        self, config: Config, stage: Stage, images: DatasetT, /
    ) -> tuple[Images | dict[str, Images], Images]:
        """Return (inputs, clean), the same in every epoch and run.

        Raises:
            TypeError: the config is not one of this task.
        """

    def measure(self, run: TrainedRun[DatasetT]) -> dict[str, Any]:
        """Return the metrics for metadata.json, measured through the SavedModel."""

    def draw(self, run: TrainedRun[DatasetT]) -> "dict[str, Figure]":
        """Return the figures of the model card by name."""

    def render_card(self, metadata: Metadata, figures: Collection[str], /, *, command: str) -> str:
        """Return the model card; `figures` are the names of those there are, `command` trains the network again."""

    def assess(self, folder: Path, source: str, runs: Path, /, *, limit: int | None) -> str:
        """Compare the version in `folder` with other methods on the images that --data names, and return the tables.

        They are written into the version, too, unless `limit` takes only the first images. `runs` may hold runs of
        networks that are trained for the comparison only.

        Raises:
            DataError: the images cannot be used.
            StoreError: the network cannot take part.
        """
