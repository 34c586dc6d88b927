"""Read ``metadata.json``: what the service must know about a network before it loads it."""

import json
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from app.errors import ModelStoreError
from app.imaging.handwriting.polarity import Polarity
from app.inference.version_files import MAX_METADATA_BYTES, read_file

FILE_NAME = "metadata.json"

AUTO = "auto"  # no name of a network: it stands for one that is chosen by the size of the picture
MAX_PATH = 255  # characters
MAX_FILES = 1000


def _check_path(path: str) -> str:
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or str(parts) != path or path == "." or not path.isprintable():
        raise ValueError("not a relative path inside the version's folder")
    return path


def _check_json(content: dict[str, Any]) -> dict[str, Any]:
    json.dumps(content, allow_nan=False)  # or /v1/models could not show it
    return content


def _check_name(name: str) -> str:
    if name == AUTO:
        raise ValueError(f"{AUTO!r} is reserved, and cannot name a model")
    return name


ModelKey = tuple[str, int]
ModelName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64), AfterValidator(_check_name)
]
Json = Annotated[dict[str, Any], AfterValidator(_check_json)]
FilePath = Annotated[str, StringConstraints(max_length=MAX_PATH), AfterValidator(_check_path)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class InputSpec(_Frozen):
    """The images that a network takes.

    ``height`` and ``width`` are in pixels, or null if the network takes any size; ``channels`` is 1 for gray, or 3 for
    RGB, which only a network of any size may take; ``polarity`` is null if the network works with either.
    """

    height: int | None = Field(ge=1)
    width: int | None = Field(ge=1)
    channels: Literal[1, 3] = 1
    polarity: Polarity | None = None

    @model_validator(mode="after")
    def _is_fixed_or_free(self) -> "InputSpec":
        if (self.height is None) != (self.width is None):
            raise ValueError("height and width must both be numbers or both be null")
        if self.channels == 3 and self.height is not None:
            raise ValueError("channels must be 1 where height and width are fixed")
        return self

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width in pixels, or None for a network of any size."""
        return None if self.height is None or self.width is None else (self.height, self.width)


class NoiseLevelRange(_Frozen):
    """The range of noise levels that a network was trained for: standard deviations in [0, 1] units."""

    min: float = Field(ge=0, allow_inf_nan=False)
    max: float = Field(gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _is_ordered(self) -> "NoiseLevelRange":
        if self.min > self.max:
            raise ValueError("min is above max")
        return self


class ModelMetadata(_Frozen):
    """The contents of ``metadata.json``, schema version 1."""

    schema_version: Literal[1]
    name: ModelName
    version: int = Field(ge=1)
    description: str
    created: datetime
    input: InputSpec
    noise_level: NoiseLevelRange | None
    size_multiple: int = Field(ge=1, le=128)  # tiles have room for twice the halo and the multiple
    halo_px: int = Field(ge=0, le=256)
    training: Json
    metrics: Json
    files: dict[FilePath, Sha256] = Field(min_length=1, max_length=MAX_FILES)

    @property
    def key(self) -> ModelKey:
        """Name and version."""
        return self.name, self.version


def read_metadata(folder: Path) -> ModelMetadata:
    """Read the ``metadata.json`` of one version.

    Raises:
        ModelStoreError: it is missing, not a regular file, too large, not JSON, or violates the schema; the text names
            the file and the field.
    """
    path = folder / FILE_NAME
    try:
        return ModelMetadata.model_validate_json(read_file(folder, FILE_NAME, max_bytes=MAX_METADATA_BYTES))
    except FileNotFoundError:
        raise ModelStoreError(
            f"{path} is missing; `python -m training describe {folder}` writes it for a SavedModel"
        ) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ModelStoreError(f"{path}: {field or 'the file'}: {first['msg']}") from None
