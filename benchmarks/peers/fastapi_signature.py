"""FastAPI with TensorFlow: one call of the signature for each request, in a sync endpoint."""

from typing import Annotated

import tensorflow as tf
from fastapi import Depends, FastAPI, Response

from benchmarks.peers.pictures import decode, encode, model_folder, read_upload


def create_app() -> FastAPI:
    """Load the network and create the app."""
    loaded = tf.saved_model.load(str(model_folder()))
    signature = loaded.signatures["serving_default"]
    app = FastAPI()
    app.state.loaded = loaded  # keeps the variables alive

    @app.post("/v1/denoise")
    def denoise(data: Annotated[bytes, Depends(read_upload)]) -> Response:
        denoised = signature(image=tf.constant(decode(data)[None, :, :, None]))["denoised"].numpy()
        return Response(encode(denoised[0, :, :, 0]), media_type="image/png")

    return app
