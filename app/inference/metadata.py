"""Read ``metadata.json``: what the service must know about a network before it loads it."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from app.errors import ModelStoreError
from app.imaging.handwriting.polarity import Polarity

FILE_NAME = "metadata.json"

ModelKey = tuple[str, int]
Sha256 = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class InputSpec(_Frozen):
    """The images that a network takes.

    ``height`` and ``width`` are in pixels, or null if the network takes any size; ``polarity`` is null if the network
    works with either.
    """

    height: int | None = Field(ge=1)
    width: int | None = Field(ge=1)
    channels: Literal[1] = 1
    polarity: Polarity | None = None

    @model_validator(mode="after")
    def _is_fixed_or_free(self) -> "InputSpec":
        if (self.height is None) != (self.width is None):
            raise ValueError("height and width must both be numbers or both be null")
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
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]
    version: int = Field(ge=1)
    description: str
    created: datetime
    input: InputSpec
    noise_level: NoiseLevelRange | None
    size_multiple: int = Field(ge=1, le=128)  # tiles have room for twice the halo and the multiple
    halo_px: int = Field(ge=0, le=256)
    training: dict[str, Any]
    metrics: dict[str, Any]
    files: dict[str, Sha256] = Field(min_length=1)

    @property
    def key(self) -> ModelKey:
        """Name and version."""
        return self.name, self.version


def read_metadata(folder: Path) -> ModelMetadata:
    """Read the ``metadata.json`` of one version.

    Raises:
        ModelStoreError: it is missing, is not JSON, or violates the schema; the text names the file and the field.
    """
    path = folder / FILE_NAME
    try:
        return ModelMetadata.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise ModelStoreError(
            f"{path} is missing; `python -m training describe {folder}` writes it for a SavedModel"
        ) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ModelStoreError(f"{path}: {field or 'the file'}: {first['msg']}") from None
