"""Draw real pictures as they are, denoised with the estimated noise level, and with one set by hand.

``python -m benchmarks.studies.real_noise`` calls a running service with a network for photographs, with one picture
per request. The pictures come with scikit-image, or are a sample of this project; their noise is that of a camera,
microscope or scanner. Nothing is measured, because no clean versions exist.
"""

import argparse
import http.client
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from skimage import data

from benchmarks.harness.pictures import to_png
from benchmarks.harness.processes import REPOSITORY

Levels = NDArray[np.uint8]

OUTPUT = REPOSITORY / "docs/images/real-noise.png"
SIDE_PX, SCALE, GAP, HEAD_PX = 96, 2, 6, 16
SAMPLE = "nuclei"
# SAMPLE or a function of skimage.data, left and top of the part that is drawn, noise level by hand on the 8-bit scale.
PICTURES = (
    ("coins", 140, 60, 5),
    ("text", 180, 40, 10),
    ("clock", 150, 100, 5),
    ("microaneurysms", 3, 3, 10),
    ("cell", 220, 270, 10),
    ("immunohistochemistry", 280, 300, 5),
    (SAMPLE, 20, 60, 10),
    ("hubble_deep_field", 320, 300, 10),
)


def main() -> None:
    """Draw one row for each picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1:8000")
    parser.add_argument("--model", default="photo")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    rows = []
    for name, left, top, by_hand in PICTURES:
        picture = load(name)
        automatic, estimate = denoise(picture, arguments.host, arguments.model, "auto")
        manual, _ = denoise(picture, arguments.host, arguments.model, str(by_hand))
        parts = [whole[top : top + SIDE_PX, left : left + SIDE_PX] for whole in (picture, automatic, manual)]
        rows.append(draw_row(parts, [name.replace("_", " "), f"auto: {estimate}", f"by hand: {by_hand}"]))
        print(f"{name}: {picture.shape[1]}x{picture.shape[0]}, estimated {estimate}")
    half = (len(rows) + 1) // 2
    Image.fromarray(np.hstack([np.vstack(rows[:half]), np.vstack(rows[half:])])).save(arguments.output, optimize=True)


def load(name: str) -> Levels:
    """Return the luma of a picture."""
    if name == SAMPLE:
        return np.asarray(Image.open(REPOSITORY / "docs/samples/nuclei.png"))
    return np.asarray(Image.fromarray(getattr(data, name)()).convert("L"))


def denoise(picture: Levels, host: str, model: str, noise_level: str) -> tuple[Levels, str]:
    """Denoise one picture with the service; return the result and the noise level that the service reports."""
    connection = http.client.HTTPConnection(host)
    connection.request("POST", f"/v1/denoise?model={model}&noise_level={noise_level}", to_png(picture))
    answer = connection.getresponse()
    return np.asarray(Image.open(io.BytesIO(answer.read()))), answer.headers["X-Noise-Level"]


def draw_row(parts: list[Levels], captions: list[str]) -> Levels:
    """Put enlarged parts side by side, each below its caption."""
    cells = []
    for part, caption in zip(parts, captions, strict=True):
        enlarged = np.kron(part, np.ones((SCALE, SCALE), np.uint8))
        cell = Image.new("L", (enlarged.shape[1] + GAP, enlarged.shape[0] + HEAD_PX + GAP), 255)
        cell.paste(Image.fromarray(enlarged), (0, HEAD_PX))
        ImageDraw.Draw(cell).text((2, 2), caption, fill=0)
        cells.append(np.asarray(cell))
    return np.hstack(cells)


if __name__ == "__main__":
    main()
