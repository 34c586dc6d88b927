"""Compare the formats of results: bytes, processor time, and what their compression loses.

``python -m benchmarks.studies.formats FOLDER`` encodes photographs without noise, as results are, and prints a table in
Markdown. Bytes and processor times, of all threads together, are sums over all photographs; the PSNR is their mean.
"""

import argparse
import time
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.imaging.encode import OutputFormat, encode_image
from benchmarks.harness.tables import table

QUALITIES: dict[OutputFormat, tuple[int, ...]] = {
    "png": (100,), "jpeg": (75, 90), "webp": (75, 90), "avif": (75, 90),
}  # fmt: skip


def main() -> None:
    """Print a row for each format and quality, in colour and in gray."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder with photographs")
    parser.add_argument("--every", type=int, default=18, help="use every so many of them, in the order of their names")
    arguments = parser.parse_args()
    paths = sorted(path for path in arguments.folder.iterdir() if path.suffix == ".jpg")[:: arguments.every]
    photographs = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    megapixels = sum(photograph.shape[0] * photograph.shape[1] for photograph in photographs) / 1e6
    print(f"{len(paths)} photographs, {megapixels:.1f} megapixels\n")
    rows = []
    for name, qualities in QUALITIES.items():
        for quality in qualities:
            color = measure(photographs, name, quality, megapixels)
            gray = measure(
                [np.asarray(Image.fromarray(p).convert("L")) for p in photographs], name, quality, megapixels
            )
            rows.append([name, "" if name == "png" else str(quality), *color, *gray])
    cells = ("kB per megapixel", "ms per megapixel", "PSNR in dB")
    print(
        table(["format", "quality", *(f"colour: {cell}" for cell in cells), *(f"gray: {cell}" for cell in cells)], rows)
    )


def measure(
    images: list[NDArray[np.uint8]], name: OutputFormat, quality: int, megapixels: float
) -> tuple[str, str, str]:
    """Return the kilobytes and the milliseconds of a megapixel, and the mean PSNR."""
    size = 0
    seconds = 0.0
    psnrs_db = []
    for image in images:
        start = time.process_time()
        encoded = encode_image(image, name, quality=quality)
        seconds += time.process_time() - start
        size += len(encoded)
        with Image.open(BytesIO(encoded)) as decoded:
            shown = np.asarray(decoded.convert("L" if image.ndim == 2 else "RGB"), np.float32)
        error = float(np.mean((shown - image) ** 2))
        psnrs_db.append(np.inf if error == 0 else 10 * np.log10(255**2 / error))
    return (
        f"{size / 1e3 / megapixels:.0f}", f"{seconds * 1e3 / megapixels:.0f}", f"{np.mean(psnrs_db):.1f}"
    )  # fmt: skip


if __name__ == "__main__":
    main()
