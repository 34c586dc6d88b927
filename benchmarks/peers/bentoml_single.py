"""BentoML without batching: one service, which calls the signature once for each request."""

import os
from typing import Annotated

import bentoml
import tensorflow as tf
from fastapi import Depends, FastAPI, Response

from benchmarks.peers.pictures import decode, encode, model_folder, read_upload

api = FastAPI()


@bentoml.service(
    workers=int(os.environ.get("BENCHMARK_WORKERS", "1")),
    traffic={"timeout": 30, "max_concurrency": 512},
    metrics={"enabled": False},
)
@bentoml.asgi_app(api)
class Denoiser:
    """Does everything in one process, its endpoint in BentoML's thread pool."""

    def __init__(self) -> None:
        self._loaded = tf.saved_model.load(str(model_folder()))
        self._signature = self._loaded.signatures["serving_default"]

    @api.post("/v1/denoise")
    def denoise(self, data: Annotated[bytes, Depends(read_upload)]) -> Response:
        denoised = self._signature(image=tf.constant(decode(data)[None, :, :, None]))["denoised"].numpy()
        return Response(encode(denoised[0, :, :, 0]), media_type="image/png")
