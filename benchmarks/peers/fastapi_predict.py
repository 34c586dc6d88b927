"""FastAPI with Keras: the SavedModel as a TFSMLayer and ``predict`` in a sync endpoint, as in tutorials."""

from typing import Annotated

import keras
from fastapi import Depends, FastAPI, Response

from benchmarks.peers.pictures import SIZE, decode, encode, model_folder, read_upload


def create_app() -> FastAPI:
    """Load the network and create the app."""
    layer = keras.layers.TFSMLayer(str(model_folder()), call_endpoint="serving_default")
    image = keras.Input((SIZE, SIZE, 1))
    model = keras.Model(image, layer(image))
    app = FastAPI()

    @app.post("/v1/denoise")
    def denoise(data: Annotated[bytes, Depends(read_upload)]) -> Response:
        denoised = model.predict(decode(data)[None, :, :, None], verbose=0)["denoised"]
        return Response(encode(denoised[0, :, :, 0]), media_type="image/png")

    return app
