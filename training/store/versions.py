"""Versions in the model store, which appear complete or not at all."""

import errno
import fcntl
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.errors import StoreError

RESERVED_NAME = "auto"  # in requests, it stands for a model that is chosen by the size of the picture
NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
PARTIAL = ".tmp-"  # what the names of unfinished versions begin with
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def new_version(store: Path, name: str) -> Iterator[tuple[Path, int]]:
    """Yield a temporary folder, and the number of the version that it becomes when the block ends.

    An error in the block deletes the folder. An existing version is never replaced. What killed exports left behind is
    deleted first.

    Raises:
        StoreError: the name cannot name a model, or the store cannot be written.
    """
    check_name(name)
    versions = store / name
    try:
        partial, lock = _make_partial(versions)
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
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise StoreError(f"{versions}: no room for the files ({error.strerror}); nothing was exported") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        os.close(lock)


def _make_partial(versions: Path) -> tuple[Path, int]:
    """Create a folder for an unfinished version; return it with its lock, a descriptor that a killed process loses."""
    versions.mkdir(parents=True, exist_ok=True)
    turn = _lock(versions)  # or another export could delete the folder before it is locked
    try:
        for left_over in versions.glob(f"{PARTIAL}*"):
            _delete_unowned(left_over)
        partial = versions / f"{PARTIAL}{os.getpid()}-{secrets.token_hex(4)}"
        partial.mkdir()
        return partial, _lock(partial)
    finally:
        os.close(turn)


def _delete_unowned(partial: Path) -> None:
    """Delete an unfinished version unless a running export holds its lock."""
    try:
        lock = _lock(partial, wait=False)
    except OSError:  # owned, finished meanwhile, or not a folder
        return
    shutil.rmtree(partial, ignore_errors=True)
    os.close(lock)


def _lock(folder: Path, *, wait: bool = True) -> int:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def check_name(name: str) -> None:
    """Raise StoreError unless ``name`` can name a model."""
    if not NAME_PATTERN.fullmatch(name):
        raise StoreError(f"{name!r} cannot name a model: use letters, digits, '.', '_' and '-', at most 64")
    if name == RESERVED_NAME:
        raise StoreError(f"{name!r} cannot name a model: the service uses the word for its own choice of a model")


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
