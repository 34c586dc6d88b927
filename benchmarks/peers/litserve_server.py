"""LitServe: ``python -m benchmarks.peers.litserve_server --port 8000 --max-batch-size 64``."""

import argparse
from typing import Annotated, Any

import litserve
import numpy as np
from fastapi import Depends, Response
from numpy.typing import NDArray

from benchmarks.peers.pictures import decode, encode, model_folder, read_upload

Image = NDArray[np.float32]


class DenoiseAPI(litserve.LitAPI):
    """Decodes, runs and encodes in the worker; LitServe's own ``batch`` and ``unbatch`` stack and split arrays."""

    def setup(self, device: str) -> None:  # noqa: ARG002  # LitServe passes it
        """Load the network in the worker process."""
        import tensorflow as tf

        self._tf = tf
        self._loaded = tf.saved_model.load(str(model_folder()))
        self._signature = self._loaded.signatures["serving_default"]

    def decode_request(self, request: Annotated[bytes, Depends(read_upload)]) -> Image:
        return decode(request)[:, :, None]

    def predict(self, x: Any) -> Image:  # noqa: ANN401  # one image or a batch
        single = x.ndim == 3
        denoised: Image = self._signature(image=self._tf.constant(x[None] if single else x))["denoised"].numpy()
        return denoised[0] if single else denoised

    def encode_response(self, output: Image) -> Response:
        return Response(encode(output[:, :, 0]), media_type="image/png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--max-batch-size", type=int, default=1)
    parser.add_argument("--batch-timeout", type=float, default=0.0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--fast-queue", action="store_true")
    arguments = parser.parse_args()
    api = DenoiseAPI(
        max_batch_size=arguments.max_batch_size, batch_timeout=arguments.batch_timeout, api_path="/v1/denoise"
    )
    server = litserve.LitServer(
        api,
        accelerator="cpu",
        workers_per_device=arguments.workers,
        fast_queue=arguments.fast_queue,
        timeout=30,
    )
    server.run(host="127.0.0.1", port=arguments.port, log_level="warning", generate_client_file=False)


if __name__ == "__main__":
    main()
