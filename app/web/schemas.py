"""The wire format: what requests may ask and what answers contain."""

from contextlib import suppress
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from app.imaging.fit import Fit
from app.imaging.handwriting.polarity import Polarity
from app.inference.metadata import InputSpec, NoiseLevelRange
from app.inference.model_store import Catalogue

OutputSize = Literal["model", "original"]


def _check_noise_level(value: object) -> object:
    """Say what is allowed in one sentence, where pydantic would complain of each alternative in turn."""
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

    model: Annotated[str | None, Field(description="Name of the model; see `/v1/models`.")] = None
    version: Annotated[int | None, Field(ge=1, description="Version of the model; by default its highest.")] = None
    fit: Annotated[
        Fit | None,
        Field(
            description="How a picture is brought to the network's size: `stretch` (default) resizes it, `pad` keeps "
            "its aspect ratio, `mnist` finds the handwritten digit, scales and centres it as MNIST was made. "
            "Only for networks of a fixed size."
        ),
    ] = None
    polarity: Annotated[
        Literal["auto", "light-on-dark", "dark-on-light"] | None,
        Field(
            description="Whether the ink is lighter or darker than the paper; `auto` (default) judges small pictures "
            "by their border and large ones by what stands out. The result keeps the picture's polarity. Only for "
            "networks that were trained for one."
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
            description="Standard deviation of the noise on the 8-bit scale, 0–75, or `auto` (default): estimated from "
            "the picture. Of a colour picture it is that of the luma. Only for networks that take one."
        ),
    ] = None
    strength: Annotated[
        float | None,
        Field(
            ge=0,
            le=2,
            allow_inf_nan=False,
            description="Times the noise level that the network is told, 0–2, 1 by default: less keeps more of the "
            "detail and of the noise, more smooths more. Only for networks that take a noise level.",
        ),
    ] = None
    bit_depth: Annotated[
        Literal["8", "16", "same"] | None,
        Field(
            description="Bits of a sample in the result: `8` (default), `16`, or `same`: 16 for gray pictures of more "
            "than 8 bits. 16 bits are always gray. Only for networks of any size."
        ),
    ] = None
    color: Annotated[
        Literal["gray", "keep"] | None,
        Field(
            description="`gray` (default) turns colour to luma, `keep` keeps it, at 8 bits. Only for networks of any "
            "size."
        ),
    ] = None


class EncodedImage(BaseModel):
    """A picture inside JSON."""

    media_type: Literal["image/png"] = "image/png"
    width: int
    height: int
    base64: str


class ModelReference(BaseModel):
    """Which version of which model answered."""

    name: str
    version: int


class InputDescription(BaseModel):
    """What the service understood of the picture; the size is that after EXIF rotation."""

    format: str
    width: int
    height: int
    polarity: Polarity | None
    noise_level: float | None = Field(description="As estimated or given, on the 8-bit scale.")


class DenoiseResponse(BaseModel):
    """A denoised picture with what is known about it; times are milliseconds."""

    image: EncodedImage
    model: ModelReference
    input: InputDescription
    timing_ms: dict[str, float]
    batch_size: int


class ModelEntry(BaseModel):
    """A model with its versions; everything but the versions is said of the highest one."""

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
            versions=catalogue.versions(name),
            description=metadata.description,
            input=metadata.input,
            noise_level=metadata.noise_level,
            metrics=metadata.metrics,
        )


class ModelList(BaseModel):
    """Every model, and the one that answers when a request names none."""

    default: str
    models: list[ModelEntry]

    @classmethod
    def of(cls, catalogue: Catalogue) -> "ModelList":
        """Describe every model of a store, in the order of their names."""
        return cls(
            default=catalogue.default, models=[ModelEntry.of(catalogue, name) for name in sorted(catalogue.models)]
        )


def _is_none(value: object) -> bool:
    return value is None


class Problem(BaseModel):
    """Every error, as RFC 9457 problem details (`application/problem+json`)."""

    type: str = Field(description="Path of a page that explains this kind of problem.")
    title: str
    status: int
    detail: str
    limit: int | None = Field(None, exclude_if=_is_none, description="The limit that was passed.")
    names: list[str] | None = Field(None, exclude_if=_is_none, description="The names that would have worked.")
    parameter: str | None = Field(None, exclude_if=_is_none, description="The query parameter that is at fault.")


class BatchItem(BaseModel):
    """One file of a batch: its denoised picture and what is known about it, or the problem; times are milliseconds."""

    name: str = Field(description="The file's name, as it was sent.")
    status: int = Field(description="The status that the file would have had alone.")
    problem: Problem | None = Field(None, exclude_if=_is_none)
    output: str | None = Field(None, exclude_if=_is_none, description="Name of the PNG in the ZIP.")
    image: EncodedImage | None = Field(None, exclude_if=_is_none, description="The PNG, where the answer is JSON.")
    model: ModelReference | None = Field(None, exclude_if=_is_none)
    input: InputDescription | None = Field(None, exclude_if=_is_none)
    timing_ms: dict[str, float] | None = Field(None, exclude_if=_is_none)
    batch_size: int | None = Field(None, exclude_if=_is_none)


class BatchSummary(BaseModel):
    """What is known about a batch as a whole."""

    model: ModelReference
    succeeded: int
    failed: int
    timing_ms: dict[str, float]


class BatchResponse(BatchSummary):
    """Every file of a batch, in the order in which they were sent; `manifest.json` of a ZIP has the same form."""

    items: list[BatchItem]


class Status(BaseModel):
    """Answer of the probes."""

    status: str
