"""Draw the figure of the README: noisy test digits above, the denoised ones below.

``python -m benchmarks.studies.before_after --data mnist.npz`` calls a running service, with one picture per request.
"""

import argparse
import http.client
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.harness.pictures import to_png
from benchmarks.harness.processes import REPOSITORY

OUTPUT = REPOSITORY / "docs/images/before-after.png"
COLUMNS, SCALE, GAP = 10, 3, 6
SIGMA = 0.4


def main() -> None:
    """Denoise the first test image of each digit, and save the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="an .npz file with MNIST's layout")
    parser.add_argument("--host", default="127.0.0.1:8000")
    arguments = parser.parse_args()
    with np.load(arguments.data) as arrays:
        digits = arrays["x_test"][[int(np.argmax(arrays["y_test"] == digit)) for digit in range(COLUMNS)]]
    noise = np.random.default_rng(0).normal(0, SIGMA, digits.shape)
    noisy = np.rint(np.clip(digits / 255 + noise, 0, 1) * 255).astype(np.uint8)
    rows = [noisy, [denoise(picture, arguments.host) for picture in noisy]]
    Image.fromarray(np.vstack([strip(row) for row in rows])).save(OUTPUT, optimize=True)


def denoise(picture: NDArray[np.uint8], host: str) -> NDArray[np.uint8]:
    """Denoise one picture with the service."""
    connection = http.client.HTTPConnection(host)
    connection.request("POST", "/v1/denoise", to_png(picture))
    return np.asarray(Image.open(io.BytesIO(connection.getresponse().read())))


def strip(pictures: NDArray[np.uint8] | list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Put enlarged pictures side by side on mid gray."""
    enlarged = [np.kron(picture, np.ones((SCALE, SCALE), np.uint8)) for picture in pictures]
    return np.hstack([np.pad(picture, GAP // 2, constant_values=128) for picture in enlarged])


if __name__ == "__main__":
    main()
