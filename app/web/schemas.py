"""The wire format: what requests may ask and what responses contain."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from app.imaging.encode import OutputFormat
from app.imaging.fit import Fit
from app.imaging.handwriting.polarity import Polarity
from app.inference.metadata import AUTO, InputSpec, NoiseLevelRange
from app.inference.model_store import Catalogue
from app.inference.networks import VersionState
from app.processing.options import SMALL_SIDE_PX

OutputSize = Literal["model", "original"]


def _check_noise_level(value: object) -> object:
    """Say what is allowed in one sentence; pydantic would list what is wrong with each alternative."""
    if value in (None, "auto"):
        return value
    with suppress(ValueError):
        if float(str(value)) >= 0:
            return value
    raise PydanticCustomError("noise_level", "Input should be 'auto' or a number that is not negative")


NoiseLevel = Annotated[Literal["auto"] | float, BeforeValidator(_check_noise_level)]


class DenoiseQuery(BaseModel):
    """Query parameters of a denoise call."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Annotated[
        str | None,
        Field(
            description="Name of the model, see `/v1/models`; by default, the one named there as `default`. `auto` "
            "chooses by the picture: up to 64×64 pixels, or with `fit=mnist`, the default model, and for larger "
            "pictures one that takes any size. It ignores parameters that the chosen model cannot use."
        ),
    ] = None
    version: Annotated[
        int | None,
        Field(ge=1, description="Version of the model; by default, the highest. Not together with `model=auto`."),
    ] = None
    fit: Annotated[
        Fit | None,
        Field(
            description="How the picture is brought to the network's size: `stretch` (default) resizes it, `pad` keeps "
            "its aspect ratio, `mnist` finds a handwritten digit and scales and centres it as in MNIST. "
            "Only for networks of a fixed size."
        ),
    ] = None
    polarity: Annotated[
        Literal["auto", "light-on-dark", "dark-on-light"] | None,
        Field(
            description="Whether the ink is lighter or darker than the paper; `auto` (default) judges small pictures "
            "by their border, large ones by what stands out from the paper. The result keeps the polarity. Only for "
            "networks trained for one polarity."
        ),
    ] = None
    output_size: Annotated[
        OutputSize | None,
        Field(
            description="Size of the result: `model` (default, for networks of a fixed size) or `original`, scaled "
            "back to the picture's size."
        ),
    ] = None

    noise_level: Annotated[
        NoiseLevel | None,
        Field(
            description="Standard deviation of the noise on the 8-bit scale, 0–75, or `auto` (default) to estimate it; "
            "for a colour picture, that of white noise of equal strength in red, green and blue that would put the "
            "same amount of noise into their weighted mean. Only for networks that take a noise level."
        ),
    ] = None
    strength: Annotated[
        float | None,
        Field(
            ge=0,
            le=2,
            allow_inf_nan=False,
            description="Factor for the noise level that the network gets, 0–2, by default 1: a lower one keeps more "
            "detail and noise, a higher one smooths more. Only for networks that take a noise level.",
        ),
    ] = None
    bit_depth: Annotated[
        Literal["8", "16", "same"] | None,
        Field(
            description="Bits per sample of the result: `8` (default), `16`, or `same`: 16 for gray pictures of more "
            "than 8 bits. Only for networks of any size."
        ),
    ] = None
    color: Annotated[
        Literal["gray", "keep"] | None,
        Field(
            description="`keep` (default) denoises red, green and blue of a picture that has colour, `gray` turns it "
            "into luma first. Only for networks of any size."
        ),
    ] = None
    format: Annotated[
        OutputFormat | None,
        Field(
            description="Format of the result; by default, what `Accept` prefers, else `png`. It wins over `Accept`."
        ),
    ] = None
    quality: Annotated[
        int | None,
        Field(
            ge=1,
            le=100,
            description="Quality of a JPEG, WebP or AVIF, 1–100, by default 90; a PNG loses nothing.",
        ),
    ] = None


class EncodedImage(BaseModel):
    """An image inside JSON."""

    media_type: str = Field(examples=["image/png"])
    width: int
    height: int
    base64: str


class ModelReference(BaseModel):
    """The model and version that denoised the picture."""

    name: str
    version: int


class InputDescription(BaseModel):
    """What the service found out about the picture; its size is that after EXIF rotation."""

    format: str
    width: int
    height: int
    polarity: Polarity | None
    noise_level: float | None = Field(description="As estimated or given, on the 8-bit scale.")


class DenoiseResponse(BaseModel):
    """A denoised picture and what is known about it; times are in milliseconds."""

    image: EncodedImage
    model: ModelReference
    input: InputDescription
    timing_ms: dict[str, float]
    batch_size: int


class ModelEntry(BaseModel):
    """A model and its versions; all other fields describe the highest version."""

    name: str
    versions: list[int]
    description: str
    input: InputSpec
    noise_level: NoiseLevelRange | None
    metrics: dict[str, Any]

    @classmethod
    def of(cls, catalogue: Catalogue, name: str) -> "ModelEntry":
        """Describe one model of a store.

        Raises:
            ModelNotFoundError: there is no such model.
        """
        metadata = catalogue.find(name, None)
        return cls(
            name=name,
            versions=sorted(catalogue.models[name]),
            description=metadata.description,
            input=metadata.input,
            noise_level=metadata.noise_level,
            metrics=metadata.metrics,
        )


def _is_none(value: object) -> bool:
    return value is None


class AutoChoice(BaseModel):
    """The models that `model=auto` chooses from now."""

    small_side_px: int = Field(
        description="A picture of at most so many pixels in width and in height is small; `fit=mnist` makes any so."
    )
    small: str = Field(description="Name of the model for small pictures.")
    large: str = Field(description="Name of the model for all others.")

    @classmethod
    def of(cls, catalogue: Catalogue) -> "AutoChoice":
        """Describe what `auto` means for a store."""
        return cls(small_side_px=SMALL_SIDE_PX, small=catalogue.default, large=catalogue.find_for_large().name)


class FolderState(BaseModel):
    """Whether the version in a folder of the store answers requests."""

    folder: str = Field(description="`NAME/VERSION`.")
    state: Literal["ready", "loading", "failed"]
    loaded_at: datetime | None = Field(None, exclude_if=_is_none, description="Since when it answers.")
    reason: str | None = Field(None, exclude_if=_is_none, description="What is wrong with it.")


class ModelList(BaseModel):
    """The models that answer, the one that is used when a request names none, and the state of the store."""

    default: str = Field(description="The name that is used when a request names no model; it may be `auto`.")
    auto: AutoChoice
    models: list[ModelEntry]
    states: list[FolderState] = Field([], description="Of each version in the store, ready or not.")

    @classmethod
    def of(cls, catalogue: Catalogue, states: Mapping[str, VersionState] | None = None) -> "ModelList":
        """Describe all models of a store, in the order of their names."""
        return cls(
            default=AUTO if catalogue.chooses_by_size else catalogue.default,
            auto=AutoChoice.of(catalogue),
            models=[ModelEntry.of(catalogue, name) for name in sorted(catalogue.models)],
            states=[FolderState(folder=folder, **asdict(state)) for folder, state in (states or {}).items()],
        )


class Problem(BaseModel):
    """An error, as RFC 9457 problem details (`application/problem+json`)."""

    type: str = Field(description="Path of the page that explains this kind of problem.")
    title: str
    status: int
    detail: str
    limit: int | None = Field(None, exclude_if=_is_none, description="The limit that was exceeded.")
    names: list[str] | None = Field(None, exclude_if=_is_none, description="The names that would have worked.")
    parameter: str | None = Field(None, exclude_if=_is_none, description="The query parameter that is wrong.")
    error: str | None = Field(
        None, exclude_if=_is_none, description="The detail again, below `/v2`: clients of that protocol read it."
    )


class BatchItem(BaseModel):
    """One file of a batch: the denoised picture and what is known about it, or the problem; times in milliseconds."""

    name: str = Field(description="The name of the file, as it was sent.")
    status: int = Field(description="The status that the file would have had alone.")
    problem: Problem | None = Field(None, exclude_if=_is_none)
    output: str | None = Field(None, exclude_if=_is_none, description="Name of the result in the ZIP.")
    image: EncodedImage | None = Field(None, exclude_if=_is_none, description="The result, if the response is JSON.")
    model: ModelReference | None = Field(None, exclude_if=_is_none)
    input: InputDescription | None = Field(None, exclude_if=_is_none)
    timing_ms: dict[str, float] | None = Field(None, exclude_if=_is_none)
    batch_size: int | None = Field(None, exclude_if=_is_none)


class BatchSummary(BaseModel):
    """What is known about a batch as a whole; times are in milliseconds."""

    model: ModelReference | None = Field(
        None, exclude_if=_is_none, description="The model of all files; with `model=auto`, each item has its own."
    )
    succeeded: int
    failed: int
    timing_ms: dict[str, float]


class BatchResponse(BatchSummary):
    """All files of a batch, in the order in which they were sent; the `manifest.json` of a ZIP has the same form."""

    items: list[BatchItem]


class Status(BaseModel):
    """What the probes return."""

    status: str
