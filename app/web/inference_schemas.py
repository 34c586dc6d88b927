"""The JSON of the Open Inference Protocol v2, as far as the service reads and writes it."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

EXTENSION = "binary_tensor_data"
FP32 = "FP32"
INPUT, LEVEL, OUTPUT = "image", "noise_level", "denoised"  # names of the tensors, as in the networks' signature
MAX_SIDE = 2**31 - 1

Shape = Annotated[list[Annotated[StrictInt, Field(ge=1, le=MAX_SIDE)]], Field(max_length=8)]


class _Model(BaseModel):
    """Ignores what it does not know: clients send parameters for other servers, too."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())


class TensorParameters(_Model):
    """Parameters of one tensor."""

    binary_data_size: Annotated[StrictInt, Field(ge=0)] | None = None
    binary_data: StrictBool | None = None


class InputTensor(_Model):
    """A tensor of a request; its data is a list, nested or flat, or follows the JSON if it is binary."""

    name: StrictStr
    shape: Shape
    datatype: StrictStr
    parameters: TensorParameters = TensorParameters()
    data: Any = None


class RequestedOutput(_Model):
    """A tensor that the response shall have."""

    name: StrictStr
    parameters: TensorParameters = TensorParameters()


class InferenceParameters(_Model):
    """Parameters of a request."""

    binary_data_output: StrictBool = False


class InferenceRequest(_Model):
    """The JSON of a request; binary data may follow it."""

    id: StrictStr | None = None
    parameters: InferenceParameters = InferenceParameters()
    inputs: Annotated[list[InputTensor], Field(min_length=1, max_length=8)]
    outputs: Annotated[list[RequestedOutput], Field(max_length=8)] | None = None


class ServerMetadata(_Model):
    """What the server is."""

    name: str
    version: str
    extensions: list[str]


class TensorMetadata(_Model):
    """What a tensor of a network looks like; -1 is a side of any length."""

    name: str
    datatype: Literal["FP32"] = "FP32"
    shape: list[int]


class ModelDescription(_Model):
    """What a network takes and returns."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class Live(_Model):
    """The server is up."""

    live: bool = True


class Ready(_Model):
    """The server takes requests."""

    ready: bool = True


class ModelReady(_Model):
    """A model takes requests."""

    name: str
    ready: bool = True
