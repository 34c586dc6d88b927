"""Versions in the model store, which appear complete or not at all."""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.errors import StoreError

NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@contextmanager
def new_version(store: Path, name: str) -> Iterator[tuple[Path, int]]:
    """Yield a temporary folder, and the number of the version that it becomes when the block ends.

    An error in the block deletes the folder. An existing version is never replaced.

    Raises:
        StoreError: the name cannot name a model, or the store cannot be written.
    """
    check_name(name)
    versions = store / name
    partial = versions / f".tmp-{os.getpid()}"
    try:
        partial.mkdir(parents=True)
    except OSError as error:
        raise StoreError(f"{versions}: cannot write there ({error.strerror}); --store names another folder") from error
    try:
        version = max(find_versions(versions), default=0) + 1
        target = versions / str(version)
        yield partial, version
        try:
            partial.rename(target)
        except OSError as error:
            raise StoreError(f"{target}: was made at the same time by another process; export again") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_name(name: str) -> None:
    """Raise StoreError unless ``name`` can name a model."""
    if not NAME_PATTERN.fullmatch(name):
        raise StoreError(f"{name!r} cannot name a model: use letters, digits, '.', '_' and '-', at most 64")


def find_versions(folder: Path) -> list[int]:
    """Return the versions of a model: its folders whose names are positive integers."""
    return sorted(int(path.name) for path in folder.iterdir() if re.fullmatch("[1-9][0-9]*", path.name))


def find_version(store: Path, model: str) -> Path:
    """Return the folder of NAME/VERSION, or of NAME's highest version, or raise StoreError."""
    name, _, version = model.partition("/")
    versions = [str(number) for number in find_versions(store / name)] if (store / name).is_dir() else []
    if not versions or (version and version not in versions):
        raise StoreError(f"{store}: no {model} in it; found {', '.join(versions) or 'no version'} of {name}")
    return store / name / (version or versions[-1])


def hash_files(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file that TensorFlow loads, by its path inside ``folder``."""
    paths = [folder / "saved_model.pb", *sorted((folder / "variables").iterdir())]
    paths += sorted(path for path in (folder / "assets").rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}" for path in paths
    }
