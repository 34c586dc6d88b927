"""Read the tensors of an inference request: JSON, with binary data behind it or without."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from app.errors import MAX_ECHO, ImageTooLargeError, InvalidTensorError, UploadTooLargeError
from app.imaging.decode import MAX_SIDE_PX
from app.imaging.samples import FloatImage
from app.inference.denoiser import NoiseLevels
from app.inference.metadata import ModelMetadata
from app.web.inference_schemas import FP32, INPUT, LEVEL, OUTPUT, InferenceRequest, InputTensor

LENGTH_HEADER = "Inference-Header-Content-Length"
MAX_JSON_BYTES = 2**22  # parsing holds up other requests
FP32_BYTES = 4
MAX_JSON_SAMPLES = 2**22  # of a result in JSON, where each takes 20 bytes

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class TensorRequest:
    """What a client wants to have denoised.

    Attributes:
        id: that of the client, for the response.
        images: shape (N, H, W, C), float32, as the network takes it; finite.
        noise_levels: shape (N,), in [0, 1] units; None for a network that takes none.
        is_binary: whether the result is to be binary, too.
    """

    id: str | None
    images: FloatImage
    noise_levels: NoiseLevels | None
    is_binary: bool

    @property
    def pixels(self) -> int:
        """The number of pixels of all images."""
        return prod(self.images.shape[:3])

    @property
    def pixels_held(self) -> int:
        """The number of pixels whose memory the request takes; a result in JSON takes that of one for each number."""
        return self.pixels if self.is_binary else self.pixels + self.images.size


def find_json_length(headers: Mapping[str, str]) -> int | None:
    """Return the length of the JSON, or None if there is nothing but JSON.

    Raises:
        InvalidTensorError: the header is no number, or the body is compressed.
    """
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise InvalidTensorError("Compressed bodies are not read; send the tensors as they are.")
    given = headers.get(LENGTH_HEADER)
    if given is None:
        return None
    if not (given.isascii() and given.isdigit()) or len(given) > 10:
        raise InvalidTensorError(f"{LENGTH_HEADER} is no length.")
    return int(given)


def read_tensors(
    body: bytes, json_length: int | None, model: ModelMetadata, *, max_pixels: int, max_images: int
) -> TensorRequest:
    """Read a request and check that the model can take it.

    Raises:
        InvalidTensorError: it is malformed, its sizes contradict each other, or a tensor is not as the model takes it,
            or not finite.
        ImageTooLargeError: all images together have more than ``max_pixels`` pixels.
        UploadTooLargeError: the JSON is longer than MAX_JSON_BYTES.
    """
    if json_length is None:
        json_length = len(body)
    if json_length > len(body):
        raise InvalidTensorError(f"{LENGTH_HEADER} is {json_length}, but the body has {len(body)} bytes.")
    if json_length > MAX_JSON_BYTES:
        raise UploadTooLargeError(
            f"The JSON has {json_length} bytes; at most {MAX_JSON_BYTES} are accepted. Send binary data.",
            limit=MAX_JSON_BYTES,
        )
    request = _parse(body[:json_length])
    tensors = _by_name(request.inputs, model)
    shape = _check_image(tensors[INPUT], model, max_pixels=max_pixels, max_images=max_images)
    is_binary = _is_binary(request)
    if not is_binary and prod(shape) > MAX_JSON_SAMPLES:
        raise InvalidTensorError(
            f"A result in JSON has at most {MAX_JSON_SAMPLES} numbers; ask for it as binary data (binary_data_output).",
            limit=MAX_JSON_SAMPLES,
        )
    if LEVEL in tensors and tensors[LEVEL].shape != shape[:1]:
        raise InvalidTensorError(
            f"{LEVEL} has the shape {tensors[LEVEL].shape}; one level for each image is {shape[:1]}."
        )
    data = dict(zip(tensors, _read_data(list(tensors.values()), memoryview(body)[json_length:]), strict=True))
    return TensorRequest(request.id, data[INPUT], _check_levels(data.get(LEVEL), model), is_binary)


def _parse(content: bytes) -> InferenceRequest:
    try:
        return InferenceRequest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))[:MAX_ECHO]
        raise InvalidTensorError(f"{place or 'The request'}: {first['msg']}.") from None


def _by_name(inputs: list[InputTensor], model: ModelMetadata) -> dict[str, InputTensor]:
    """Return the tensors by their names, in their order: just those that the model takes."""
    known = [INPUT] if model.noise_level is None else [INPUT, LEVEL]
    names = [tensor.name for tensor in inputs]
    if sorted(names) != sorted(known):
        given = ", ".join(names)[:MAX_ECHO]
        raise InvalidTensorError(f"The model takes {' and '.join(known)}, not {given}.", names=known)
    for tensor in inputs:
        if tensor.datatype != FP32:
            raise InvalidTensorError(f"{tensor.name} is {tensor.datatype[:MAX_ECHO]}; the model takes {FP32}.")
    return {tensor.name: tensor for tensor in inputs}


def _check_image(tensor: InputTensor, model: ModelMetadata, *, max_pixels: int, max_images: int) -> list[int]:
    height, width = model.input.size or (None, None)
    wanted = [None, height, width, model.input.channels]
    shape = tensor.shape
    if len(shape) != 4 or any(side not in (None, given) for side, given in zip(wanted, shape, strict=True)):
        shown = [-1 if side is None else side for side in wanted]
        raise InvalidTensorError(f"{INPUT} has the shape {shape}; the model takes {shown}.")
    if shape[0] > max_images:
        raise InvalidTensorError(f"{INPUT} has {shape[0]} images; at most {max_images} are accepted.", limit=max_images)
    if max(shape[1:3]) > MAX_SIDE_PX:
        raise ImageTooLargeError(f"A side may have at most {MAX_SIDE_PX} pixels.", limit=MAX_SIDE_PX)
    if prod(shape[:3]) > max_pixels:
        raise ImageTooLargeError(
            f"The images have {prod(shape[:3])} pixels together; at most {max_pixels} are accepted.", limit=max_pixels
        )
    return shape


def _is_binary(request: InferenceRequest) -> bool:
    """Return whether the result is to be binary."""
    is_binary = request.parameters.binary_data_output
    for output in request.outputs or ():
        if output.name != OUTPUT:
            raise InvalidTensorError(
                f"There is no output {output.name[:MAX_ECHO]!r}; the model returns {OUTPUT}.", names=[OUTPUT]
            )
        if output.parameters.binary_data is not None:
            is_binary = output.parameters.binary_data
    return is_binary


def _read_data(tensors: list[InputTensor], binary: memoryview) -> list[Floats]:
    """Return the data of the tensors: from the JSON, or in their order from what follows it."""
    announced = sum(tensor.parameters.binary_data_size or 0 for tensor in tensors)
    if announced != len(binary):
        raise InvalidTensorError(f"{len(binary)} bytes follow the JSON, which announces {announced}.")
    arrays = []
    for tensor in tensors:
        size = tensor.parameters.binary_data_size
        array = _from_json(tensor) if size is None else _from_binary(tensor, binary[:size])
        binary = binary[size or 0 :]
        if not np.isfinite(array).all():
            raise InvalidTensorError(f"{tensor.name} has numbers that are not finite.")
        arrays.append(array)
    return arrays


def _from_binary(tensor: InputTensor, data: memoryview) -> Floats:
    """Return the data that follows the JSON: little-endian, the last side fastest."""
    if tensor.data is not None:
        raise InvalidTensorError(f"{tensor.name} has both data and binary_data_size.")
    needed = FP32_BYTES * prod(tensor.shape)
    if len(data) != needed:
        raise InvalidTensorError(
            f"{tensor.name} has {len(data)} bytes; the shape {tensor.shape} of {FP32} takes {needed}."
        )
    return np.frombuffer(data, "<f4").reshape(tensor.shape)


def _from_json(tensor: InputTensor) -> Floats:
    """Return the data in the JSON, nested or flat."""
    if not isinstance(tensor.data, list):
        raise InvalidTensorError(f"{tensor.name} has no data.")
    try:
        numbers: NDArray[Any] = np.asarray(tensor.data)
    except ValueError:  # lists of different lengths
        numbers = np.empty(0, object)
    if numbers.dtype.kind not in "iuf":
        raise InvalidTensorError(f"The data of {tensor.name} is no array of numbers.")
    if numbers.size != prod(tensor.shape) or (numbers.ndim > 1 and list(numbers.shape) != tensor.shape):
        raise InvalidTensorError(
            f"The data of {tensor.name} has the shape {list(numbers.shape)}, which does not fit {tensor.shape}."
        )
    with np.errstate(over="ignore"):  # what becomes infinite is refused
        return numbers.astype(np.float32).reshape(tensor.shape)


def _check_levels(levels: Floats | None, model: ModelMetadata) -> NoiseLevels | None:
    known = model.noise_level
    if levels is None or known is None:
        return None
    if levels.min() < known.min or levels.max() > np.float32(known.max):
        raise InvalidTensorError(f"{LEVEL} is in [0, 1] units; the model knows {known.min:g} to {known.max:g}.")
    return levels
