"""A denoised tensor as an HTTP response: JSON, or JSON and binary data behind it."""

import json

from fastapi import Response

from app.imaging.samples import FloatImage
from app.inference.metadata import ModelMetadata
from app.web.inference_schemas import FP32, OUTPUT
from app.web.requests.tensors import LENGTH_HEADER

CHUNK = 2**14  # numbers that are written at once: in a few milliseconds, after which others get their turn


def write_tensor(images: FloatImage, model: ModelMetadata, *, request_id: str | None, is_binary: bool) -> Response:
    """Build the response for a result of shape (N, H, W, C)."""
    output: dict[str, object] = {"name": OUTPUT, "datatype": FP32, "shape": list(images.shape)}
    answer = {} if request_id is None else {"id": request_id}
    answer |= {"model_name": model.name, "model_version": str(model.version)}
    if is_binary:
        data = images.astype("<f4", copy=False).tobytes()
        head = json.dumps(answer | {"outputs": [output | {"parameters": {"binary_data_size": len(data)}}]}).encode()
        return Response(head + data, media_type="application/octet-stream", headers={LENGTH_HEADER: str(len(head))})
    flat = images.ravel()
    numbers = ",".join(
        ",".join(map(repr, flat[start : start + CHUNK].tolist())) for start in range(0, flat.size, CHUNK)
    )
    before, after = json.dumps(answer | {"outputs": [output | {"data": []}]}).rsplit("[]", 1)
    return Response(f"{before}[{numbers}]{after}", media_type="application/json")
