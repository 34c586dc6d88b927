"""Send pictures with real noise through the service, and compare the results with clean ones.

``python -m benchmarks.studies.real_pairs FOLDER``: FOLDER holds pairs NAME_real.png, as it was taken, and
NAME_mean.png, the mean of many shots. PSNR is that of the luma of the middle 256x256 pixels: with the noise level as
estimated, with the level that is best for all pictures together, and with OpenCV's non-local means at its best
strength. Prints a Markdown table.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.harness.pictures import to_png
from benchmarks.harness.processes import free_port, running_server
from benchmarks.studies.photographs import clean_up

Pixels = NDArray[np.uint8]
Pair = tuple[Pixels, Pixels]

CENTRE_PX = 256
FIXED_LEVELS = (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20)  # 8-bit scale
NLM_STRENGTHS = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20)


def main() -> None:
    """Measure, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    pairs = load_pairs(parser.parse_args().folder)
    port = free_port()
    command = [sys.executable, "-m", "app", "serve", "--port", str(port)]
    with running_server(command, port=port, environment={}, probe=to_png(np.zeros((8, 8), np.uint8))) as server:
        automatic = [clean_up(server, noisy) for noisy, _ in pairs]
        fixed = {
            level: score([clean_up(server, noisy, f"noise_level={level}").pixels for noisy, _ in pairs], pairs)
            for level in FIXED_LEVELS
        }
    filtered = {
        strength: score([filter_nlm(noisy, strength) for noisy, _ in pairs], pairs) for strength in NLM_STRENGTHS
    }
    level, strength = max(fixed, key=lambda key: fixed[key]), max(filtered, key=lambda key: filtered[key])
    estimates = sorted(cleaned.noise_level for cleaned in automatic)
    rows = {
        "noisy": score([noisy for noisy, _ in pairs], pairs),
        f"service, noise level estimated ({estimates[0]:.1f} to {estimates[-1]:.1f})": score(
            [cleaned.pixels for cleaned in automatic], pairs
        ),
        f"service, noise level {level} for all": fixed[level],
        f"non-local means, strength {strength} for all": filtered[strength],
    }
    print(f"| {len(pairs)} pictures | PSNR of the luma (dB) |\n| --- | ---: |")
    print("\n".join(f"| {name} | {value:.2f} |" for name, value in rows.items()))


def load_pairs(folder: Path) -> list[Pair]:
    """Return (noisy, clean), RGB, of every pair in the folder, by name."""
    paths = sorted(folder.glob("*_real.png"))
    return [(load(path), load(path.with_name(path.name.replace("_real", "_mean")))) for path in paths]


def load(path: Path) -> Pixels:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def score(results: Sequence[Pixels], pairs: Sequence[Pair]) -> float:
    """Return the mean PSNR of the luma in the middle of the pictures."""
    centres = [(centre_luma(result), centre_luma(clean)) for result, (_, clean) in zip(results, pairs, strict=True)]
    return float(np.mean([20 * np.log10(255 / np.sqrt(np.mean((result - clean) ** 2))) for result, clean in centres]))


def centre_luma(pixels: Pixels) -> NDArray[np.float64]:
    height, width = pixels.shape[:2]
    top, left = (height - CENTRE_PX) // 2, (width - CENTRE_PX) // 2
    centre = pixels[top : top + CENTRE_PX, left : left + CENTRE_PX]
    return centre @ np.array([0.299, 0.587, 0.114]) if centre.ndim == 3 else centre.astype(np.float64)


def filter_nlm(noisy: Pixels, strength: float) -> Pixels:
    if (noisy == noisy[..., :1]).all():
        return np.asarray(cv2.fastNlMeansDenoising(np.ascontiguousarray(noisy[..., 0]), None, strength), np.uint8)
    return np.asarray(cv2.fastNlMeansDenoisingColored(noisy, None, strength, strength), np.uint8)


if __name__ == "__main__":
    main()
