"""What differs between kinds of images when a network is trained, measured and published."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import keras

from training.config import Config, Stage
from training.images.noise import Images
from training.store.metadata import Metadata

if TYPE_CHECKING:  # training needs neither of them, and Keras may run without TensorFlow
    from matplotlib.figure import Figure

    from training.store.export import SavedNetwork


class Dataset(Protocol):
    """Images to train on.

    ``are_pairs`` says whether each clean image comes with a noisy one, ``are_gray`` whether none has colour.
    """

    @property
    def name(self) -> str: ...
    @property
    def are_pairs(self) -> bool: ...
    @property
    def are_gray(self) -> bool: ...


class Batches(Protocol):
    """A Keras dataset whose batches depend on seed, epoch and step alone, so that a resumed run sees the same ones."""

    def __len__(self) -> int: ...
    def start_epoch(self, epoch: int) -> None: ...


DatasetT = TypeVar("DatasetT", bound=Dataset)


@dataclass(frozen=True)
class TrainedRun(Generic[DatasetT]):
    """A finished run in ``folder``, the images it was trained on, and its network in memory and as a SavedModel."""

    config: Config
    folder: Path
    images: DatasetT
    network: keras.Model
    saved: "SavedNetwork"


class Task(Protocol[DatasetT]):
    """One implementation for each kind of images; ``training.tasks`` lists them."""

    def load(self, sources: Sequence[str], config: Config) -> DatasetT:
        """Load what --data names, or raise DataError."""

    def build_network(self, config: Config) -> keras.Model:
        """Build the config's architecture with fresh weights."""

    def adapt_weights(self, weights: Sequence[Images], network: keras.Model, /) -> list[Images]:
        """Return weights of this or an older architecture for ``network``; ValueError if of another."""

    def prepare(self, network: keras.Model, stage: Stage, /) -> None:
        """Copy the weights that the stage takes over, and keep those that it does not train from learning."""

    def special_cases(self, network: keras.Model, /) -> Mapping[str, keras.Model]:
        """Return faster equals of ``network`` for some kinds of batches, by the names of their signatures."""

    def batches(self, config: Config, stage: Stage, images: DatasetT, /) -> Batches:
        """Return training batches; TypeError if the stage has noise of another task."""

    def validation(
        self, config: Config, stage: Stage, images: DatasetT, /
    ) -> tuple[Images | dict[str, Images], Images]:
        """Return (inputs, clean), the same in every epoch and run."""

    def measure(self, run: TrainedRun[DatasetT]) -> dict[str, Any]:
        """Return the metrics of metadata.json, measured through the SavedModel."""

    def draw(self, run: TrainedRun[DatasetT]) -> "dict[str, Figure]":
        """Return the figures by name."""

    def render_card(self, metadata: Metadata, figures: Collection[str], /, *, command: str) -> str:
        """Return the model card; ``figures`` are the names of its figures, ``command`` reproduces the network."""

    def assess(self, folder: Path, source: str, runs: Path, /, *, limit: int | None) -> str:
        """Compare the version in ``folder`` with other methods on the images of ``source``; return the tables.

        They are also written into the version, unless ``limit`` restricts them to the first images. ``runs`` holds
        runs of networks that exist for the comparison only. Raises DataError or StoreError where either is unsuitable.
        """
