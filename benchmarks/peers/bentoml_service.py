"""BentoML: an HTTP service in front of one with adaptive batching, composed as in its documentation."""

from typing import Annotated

import bentoml
import numpy as np
from fastapi import Depends, FastAPI, Response
from numpy.typing import NDArray

from benchmarks.peers.pictures import decode, encode, model_folder, read_upload

Batch = NDArray[np.float32]
MAX_BATCH_SIZE = 64

api = FastAPI()


@bentoml.service(workers=1, traffic={"timeout": 30, "max_concurrency": 512}, metrics={"enabled": False})
class Network:
    """Runs the network in a process of its own."""

    def __init__(self) -> None:
        import tensorflow as tf

        self._tf = tf
        self._loaded = tf.saved_model.load(str(model_folder()))
        self._signature = self._loaded.signatures["serving_default"]

    @bentoml.api(batchable=True, max_batch_size=MAX_BATCH_SIZE)
    def denoise(self, images: Batch) -> Batch:
        denoised: Batch = self._signature(image=self._tf.constant(images, self._tf.float32))["denoised"].numpy()
        return denoised


@bentoml.service(workers=1, traffic={"timeout": 30, "max_concurrency": 512}, metrics={"enabled": False})
@bentoml.asgi_app(api)
class Front:
    """Decodes and encodes pictures."""

    network = bentoml.depends(Network)

    @api.post("/v1/denoise")
    async def denoise(self, data: Annotated[bytes, Depends(read_upload)]) -> Response:
        denoised = await self.network.to_async.denoise(decode(data)[None, :, :, None])
        return Response(encode(np.asarray(denoised)[0, :, :, 0]), media_type="image/png")
