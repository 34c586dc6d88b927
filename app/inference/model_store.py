"""The models on disk: find and check every version, choose the default, load and warm them."""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from types import MappingProxyType

import numpy as np

from app.errors import ModelNotFoundError, ModelStoreError
from app.imaging.samples import FloatImage
from app.inference.denoiser import Denoiser, Loader
from app.inference.metadata import AUTO, FILE_NAME, ModelMetadata, read_metadata
from app.inference.version_files import check_entries, open_file, read_card

DEFAULT_MODEL = "digits"
PHOTO_MODEL = "photo"  # of several networks of any size, the one for large pictures
MAX_NAME = 64
LOADED_FILES = ("saved_model.pb", "variables/*")
WARM_UP_SIZES = ((1, 1), (61, 47), (64, 64))  # for networks of any size, odd sizes included

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Every version of every model in the store, checked but not loaded; equal to itself only.

    Attributes:
        store: the folder of the store.
        default: the name of the model that is used when a request names none.
        models: metadata by name and version.
        chooses_by_size: whether a request that names no model is treated as one for ``auto``; ``default`` is then the
            model for small pictures.
    """

    store: Path
    default: str
    models: Mapping[str, Mapping[int, ModelMetadata]]
    chooses_by_size: bool = False

    def find(self, name: str | None, version: int | None) -> ModelMetadata:
        """Find a version: without a name, of the default model; without a version, the highest.

        Raises:
            ModelNotFoundError: there is no such model or version; ``names`` lists those that exist.
        """
        name = self.default if name is None else name
        versions = self.models.get(name)
        if versions is None:
            raise ModelNotFoundError(f"There is no model named {name[:MAX_NAME]!r}.", names=sorted(self.models))
        version = max(versions) if version is None else version
        if version not in versions:
            raise ModelNotFoundError(
                f"Model {name!r} has no version {version}.", names=[str(known) for known in sorted(versions)]
            )
        return versions[version]

    def find_for_large(self) -> ModelMetadata:
        """Find the model for pictures that are not small: the default, or if that has a fixed size, one of any size.

        Of several, it is ``photo``, or else the first by name; if there is none, the default.
        """
        chosen = self.find(None, None)
        if chosen.input.size is None:
            return chosen
        free = [name for name in sorted(self.models) if self.find(name, None).input.size is None]
        return self.find(PHOTO_MODEL if PHOTO_MODEL in free else free[0], None) if free else chosen

    def with_versions(self, versions: Iterable[ModelMetadata]) -> "Catalogue":
        """Return the catalogue of other versions in the same store, which has the same default."""
        return replace(self, models=_by_name(versions))

    def __iter__(self) -> Iterator[ModelMetadata]:
        """Yield every version of every model."""
        for versions in self.models.values():
            yield from versions.values()


def open_store(store: Path, *, default: str | None, skips_broken: bool = False) -> Catalogue:
    """Find and check every version in the store, without loading any.

    Args:
        store: the folder of the store.
        default: the name of the default model, ``auto``, or None: ``digits``, or the only model.
        skips_broken: leave broken versions out.

    Raises:
        ModelStoreError: the store is missing or empty, a version is broken (the text names the file), or there is
            no default model.
    """
    if not store.is_dir():
        raise ModelStoreError(f"{store}: the model store is not a folder")
    found = []
    for folder in list_versions(store):
        try:
            found.append(check_version(folder))
        except ModelStoreError as error:
            if not skips_broken:
                raise
            logger.warning("%s", error)
    models = _by_name(found)
    name = _choose_default(store, sorted(models), None if default == AUTO else default)
    return Catalogue(store, name, models, chooses_by_size=default == AUTO)


def _by_name(versions: Iterable[ModelMetadata]) -> Mapping[str, Mapping[int, ModelMetadata]]:
    found: dict[str, dict[int, ModelMetadata]] = {}
    for metadata in versions:
        found.setdefault(metadata.name, {})[metadata.version] = metadata
    return MappingProxyType({name: MappingProxyType(versions) for name, versions in found.items()})


def list_versions(store: Path) -> list[Path]:
    """Return the folders of all versions, whole or not; none if there is no store."""
    return [folder for folder in sorted(store.glob("[!.]*/[!.]*")) if folder.is_dir()]


def check_version(folder: Path) -> ModelMetadata:
    """Check the folder of one version: its metadata, name, files and hashes.

    Raises:
        ModelStoreError: something is wrong; the text names the file.
    """
    metadata = read_metadata(folder)
    if (folder.parent.name, folder.name) != (metadata.name, str(metadata.version)):
        raise ModelStoreError(
            f"{folder / FILE_NAME} says {metadata.name}/{metadata.version}, but lies in "
            f"{folder.parent.name}/{folder.name}; a version's folder is a positive integer"
        )
    check_entries(folder)
    read_card(folder)  # only to refuse one that its page could not show
    present = {path.relative_to(folder).as_posix() for pattern in LOADED_FILES for path in folder.glob(pattern)}
    for name in sorted(present | metadata.files.keys()):
        _check_file(folder, name, metadata.files.get(name))
    return metadata


def load_model(store: Path, metadata: ModelMetadata, load: Loader, *, warm_up_batches: Sequence[int]) -> Denoiser:
    """Load one version and call it once with each size of a micro-batch, so that no request pays for a first call.

    What may be computed in different ways is called in each: the lowest and the highest noise level that the network
    supports, and with three channels gray images, a coloured one, and both together.

    Raises:
        ModelStoreError: it cannot be loaded, a call fails, or its output does not have the shape of its input.
    """
    folder = store / metadata.name / str(metadata.version)
    denoiser = load(folder)
    known = metadata.noise_level
    blanks = _make_blanks(metadata, warm_up_batches)
    for images, level in product(blanks, (known.min, known.max) if known else (None,)):
        levels = None if level is None else np.full(len(images), level, np.float32)
        try:
            denoised = denoiser.denoise(images, levels)
        except Exception as error:  # TensorFlow may raise anything
            batch, height, width, _ = images.shape
            raise ModelStoreError(
                f"{folder}: a call with {batch} x {height} x {width} pixels failed: {error}"
            ) from error
        if denoised.shape != images.shape:
            raise ModelStoreError(f"{folder}: the output for shape {images.shape} has shape {denoised.shape}")
    return denoiser


def _make_blanks(metadata: ModelMetadata, batches: Sequence[int]) -> list[FloatImage]:
    """Return micro-batches of black images; with three channels, also a red one, and one of both."""
    size, channels = metadata.input.size, metadata.input.channels
    shapes = [(batch, *size) for batch in batches] if size else [(1, *free) for free in WARM_UP_SIZES]
    blanks: list[FloatImage] = [np.zeros((*shape, channels), np.float32) for shape in shapes]
    if channels > 1:
        black = blanks[-1][:1]
        red = black + np.array([0.5, 0, 0], np.float32)
        blanks += [red, np.concatenate([black, red])]
    return blanks


def _check_file(folder: Path, name: str, expected: str | None) -> None:
    path = folder / name
    if expected is None:
        raise ModelStoreError(f"{path} is not listed in {FILE_NAME}")
    try:
        with open_file(folder, name) as file:
            actual = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        raise ModelStoreError(f"{path} cannot be read: {error.strerror}") from error
    if actual != expected:
        raise ModelStoreError(f"{path} is damaged: its SHA-256 is not the one in {FILE_NAME}")


def _choose_default(store: Path, names: list[str], default: str | None) -> str:
    if not names:
        raise ModelStoreError(f"{store}: there is no model in the store; `python -m training train article` makes one")
    if default is None and len(names) == 1:
        return names[0]
    default = default or DEFAULT_MODEL
    if default not in names:
        raise ModelStoreError(
            f"{store}: there is no model {default!r} to use by default; "
            f"set DENOISER_DEFAULT_MODEL to one of: {', '.join(names)}"
        )
    return default
