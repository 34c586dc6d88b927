"""Draw the README's photograph: with a camera's noise, denoised, and clean.

``python -m benchmarks.studies.camera_photo PHOTO`` calls a running service. The noise is that of a simulated camera
at a high sensitivity (``training.images.camera``), so that the clean picture is known.
"""

import argparse
import http.client
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.harness.pictures import to_png
from benchmarks.harness.processes import REPOSITORY
from training.images.camera import CameraNoise
from training.images.files import to_8_bit

OUTPUT = REPOSITORY / "docs/images/photograph.jpg"
CAMERA = replace(CameraNoise(), shot=(0.01, 0.01), monochrome=0, quality=(90, 90), compressed=1)
SIDE_PX, GAP_PX = 320, 6


def main() -> None:
    """Draw the middle of the photograph three times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--left", type=int, default=0, help="of the part that is drawn, in pixels")
    parser.add_argument("--top", type=int, default=0)
    parser.add_argument("--host", default="127.0.0.1:8000")
    arguments = parser.parse_args()
    with Image.open(arguments.photo) as image:
        photo = np.asarray(image.convert("RGB"))
    noisy, clean = (to_8_bit(side) for side in CAMERA.make_pair(photo, 1.0, np.random.default_rng(1)))
    denoised, level = denoise(noisy, arguments.host)
    rows = slice(arguments.top, arguments.top + SIDE_PX)
    columns = slice(arguments.left, arguments.left + SIDE_PX)
    parts = [np.pad(whole[rows, columns], ((0, 0), (0, GAP_PX), (0, 0))) for whole in (noisy, denoised, clean)]
    Image.fromarray(np.hstack(parts)[:, :-GAP_PX]).save(OUTPUT, quality=90)
    print(f"noise level as estimated: {level}; wrote {OUTPUT}")


def denoise(picture: NDArray[np.uint8], host: str) -> tuple[NDArray[np.uint8], str]:
    """Denoise one picture with the service; return the result and the noise level that the service reports."""
    connection = http.client.HTTPConnection(host)
    connection.request("POST", "/v1/denoise?model=photo", to_png(picture))
    response = connection.getresponse()
    return np.asarray(Image.open(io.BytesIO(response.read()))), response.headers["X-Noise-Level"]


if __name__ == "__main__":
    main()
