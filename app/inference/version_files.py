"""Open the files of a version: only regular ones inside its folder, of a bounded size."""

import os
import stat
from io import BufferedReader
from pathlib import Path

from app.errors import ModelStoreError

CARD_NAME = "MODEL_CARD.md"
MAX_METADATA_BYTES = 2**20
MAX_CARD_BYTES = 2**18
MAX_FILE_BYTES = 2**30  # hashed within seconds

Fingerprint = tuple[tuple[str, int, int], ...]  # path, bytes and time of change in nanoseconds of every file


def open_file(folder: Path, name: str, *, max_bytes: int = MAX_FILE_BYTES) -> BufferedReader:
    """Open ``name`` in the folder of a version for reading, without waiting for the other end of a named pipe.

    A symbolic link may lead to another file of the same folder.

    Raises:
        FileNotFoundError: there is no such file.
        ModelStoreError: it lies outside the folder, is not a regular file, is too large, or cannot be read.
    """
    path = folder / name
    try:
        target = Path(os.path.realpath(path, strict=True))  # Path.resolve has no OSError for a loop of links
        if not target.is_relative_to(folder.resolve()):
            raise ModelStoreError(f"{path} leads out of the version's folder")
        descriptor = os.open(target, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ModelStoreError(f"{path} cannot be read: {error.strerror}") from error
    try:
        _check_status(path, os.fstat(descriptor), max_bytes)
    except ModelStoreError:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def read_file(folder: Path, name: str, *, max_bytes: int) -> bytes:
    """Read ``name`` in the folder of a version; see open_file for what is raised."""
    with open_file(folder, name, max_bytes=max_bytes) as file:
        return file.read(max_bytes)


def read_card(folder: Path) -> str | None:
    """Read the model card of a version, as Markdown; return None if it has none.

    Raises:
        ModelStoreError: it is not a regular file of at most MAX_CARD_BYTES in the version's folder, or not UTF-8.
    """
    try:
        return read_file(folder, CARD_NAME, max_bytes=MAX_CARD_BYTES).decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise ModelStoreError(f"{folder / CARD_NAME} is not UTF-8 (byte {error.start})") from error


def check_entries(folder: Path) -> None:
    """Refuse what TensorFlow might wait for or read without end: it opens more files than the service hashes.

    Raises:
        ModelStoreError: something in the folder is neither a folder nor a regular file of at most MAX_FILE_BYTES.
    """
    for path in sorted(folder.rglob("*")):
        try:
            status = path.stat()
        except OSError as error:
            raise ModelStoreError(f"{path} cannot be read: {error.strerror}") from error
        if not stat.S_ISDIR(status.st_mode):
            _check_status(path, status, MAX_FILE_BYTES)


def read_fingerprint(folder: Path) -> Fingerprint:
    """Return the sizes and times of all files of a version, which differ if something has changed.

    Raises:
        OSError: the folder cannot be read, or something vanished meanwhile.
    """
    statuses = [(path, path.lstat()) for path in sorted(folder.rglob("*"))]
    return tuple((str(path.relative_to(folder)), status.st_size, status.st_mtime_ns) for path, status in statuses)


def _check_status(path: Path, status: os.stat_result, max_bytes: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ModelStoreError(f"{path} is not a regular file")
    if status.st_size > max_bytes:
        raise ModelStoreError(f"{path} has {status.st_size:,} bytes; at most {max_bytes:,} are read")
