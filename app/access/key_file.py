"""Read and write the file of keys: names, digests of secrets, and what each key may do; it holds no secret."""

import fcntl
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from app.errors import KeyFileError

Scope = Literal["denoise", "metrics"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

MAX_FILE_BYTES = 16 * 2**20
SECRET_PREFIX = "denoiser_"  # noqa: S105  # so that scanners of published code can find secrets
SECRET_BYTES = 32  # random: too many to be found by trying, so that a digest needs neither salt nor stretching


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Key(_Strict):
    """One key: who it belongs to, and what it may do.

    Attributes:
        name: of the caller; keys of one name share its rate and its slots, while one replaces another.
        sha256: hexadecimal digest of the secret.
        scopes: what the key is for.
        rate: requests a second; None for any number.
        burst: requests at once after a quiet time.
        max_share: the part of all slots that requests of the name may hold.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1)] = ("denoise",)
    rate: Annotated[float | None, Field(gt=0, allow_inf_nan=False)] = None
    burst: Annotated[int, Field(ge=1)] = 1
    max_share: Annotated[float, Field(gt=0, le=1)] = 0.5

    @property
    def limits(self) -> tuple[float | None, int, float]:
        """What all keys of one name have in common."""
        return self.rate, self.burst, self.max_share


class _KeyFile(_Strict):
    keys: tuple[Key, ...]

    @model_validator(mode="after")
    def _is_consistent(self) -> "_KeyFile":
        limits = {key.name: key.limits for key in self.keys}
        for key in self.keys:
            if key.limits != limits[key.name]:
                raise ValueError(f"the keys named {key.name} differ in rate, burst or max_share")
        if len({key.sha256 for key in self.keys}) < len(self.keys):
            raise ValueError("two keys have the same digest")
        return self


def create_secret() -> str:
    """Return a new secret, for the caller alone."""
    return SECRET_PREFIX + secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> str:
    """Return the hexadecimal SHA-256 of a secret."""
    return sha256(secret.encode()).hexdigest()


def read_keys(path: Path) -> tuple[Key, ...]:
    """Read a file of keys.

    Raises:
        KeyFileError: it is missing, too large, not JSON, or violates the schema. The text has nothing of its content:
            someone may have written a secret where a digest or a name belongs.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise KeyFileError(f"{path}: {str(error.strerror).lower()}") from error
    if len(content) > MAX_FILE_BYTES:
        raise KeyFileError(f"{path} has more than {MAX_FILE_BYTES} bytes")
    try:
        return _KeyFile.model_validate_json(content).keys
    except ValidationError as error:
        raise KeyFileError(f"{path}: {_describe(error)}") from None


def _describe(error: ValidationError) -> str:
    """Say where the first fault is and what it is, without the input."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = first["loc"]
    if first["type"] == "extra_forbidden":
        fields = Key.model_fields if len(place) > 1 else _KeyFile.model_fields
        return f"{_path(place[:-1])}: a field is none of {', '.join(fields)}"
    return f"{_path(place)}: {first['msg'].removeprefix('Value error, ')}"


def _path(place: Iterable[str | int]) -> str:
    return ".".join(map(str, place)) or "the file"


@contextmanager
def editing(path: Path) -> Iterator[list[Key]]:
    """Yield the keys of a file, of one that does not exist none, and write them back at the end of a ``with`` block.

    The file appears whole or not at all, readable by its owner alone; one that is replaced keeps owner and mode.
    Others that edit it wait.

    Raises:
        KeyFileError: it cannot be read or written, or would not be valid.
    """
    path = path.resolve()
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise KeyFileError(f"{path.parent}: {str(error.strerror).lower()}") from error
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # on the folder, since the file is replaced
        keys = list(read_keys(path)) if path.exists() else []
        yield keys
        _write(path, keys)
    finally:
        os.close(folder)


def _write(path: Path, keys: Iterable[Key]) -> None:
    try:
        content = _KeyFile(keys=tuple(keys)).model_dump_json(indent=2)
    except ValidationError as error:
        raise KeyFileError(_describe(error)) from None
    temporary: str | None = None
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # with mode 0600
        with open(descriptor, "w") as file:  # noqa: PTH123  # Path.open takes no descriptor
            with suppress(FileNotFoundError):
                old = path.stat()
                os.fchmod(descriptor, old.st_mode & 0o777)
                if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
                    os.fchown(descriptor, old.st_uid, old.st_gid)
            file.write(content + "\n")
            file.flush()
            os.fsync(descriptor)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise KeyFileError(f"{path} cannot be written: {str(error.strerror).lower()}") from error
