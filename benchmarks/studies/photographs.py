"""Send photographs through the service: quality as users see it, speed beside classical filters, and peak memory.

``python -m benchmarks.studies.photographs FOLDER``: FOLDER holds clean test images. Prints Markdown tables.
"""

import argparse
import http.client
import io
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.restoration import denoise_nl_means

from app.imaging.png import encode_png
from app.imaging.samples import to_unit
from app.settings import MODEL_STORE
from benchmarks.harness.processes import Server, free_port, running_server
from training.store.export import SavedNetwork
from training.store.versions import find_version

Pixels = NDArray[np.uint8]

LEVELS = (15, 25, 50)
SPEED_SIDE_PX, SPEED_REPEATS = 1024, 5
LARGE_SIZE = (5000, 8000)
TIMEOUT_S = 120.0
MODEL = "photo"


@dataclass(frozen=True)
class Cleaned:
    """The denoised pixels, the noise level that the service reports (8-bit), and the seconds that it took."""

    pixels: Pixels
    noise_level: float
    seconds: float


def main() -> None:
    """Measure, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    photos = [load_gray(path) for path in sorted(parser.parse_args().folder.iterdir())]
    port = free_port()
    command = [sys.executable, "-m", "app", "serve", "--port", str(port)]
    probe = encode_png(np.zeros((8, 8), np.uint8))
    with running_server(command, port=port, environment={"DENOISER_REQUEST_TIMEOUT_S": "120"}, probe=probe) as server:
        print(tell_memory(server, photos[0]))  # first, while the process is at its smallest
        print(tell_quality(server, photos))
        print(tell_same(server, photos))
        print(tell_clean(server, photos))
        print(tell_speed(server, photos[0]))


def tell_quality(server: Server, photos: list[Pixels]) -> str:
    """Return the PSNR of noisy 8-bit pictures, with the true noise level and with the estimated one."""
    rows = [
        "| noise level | noisy (dB) | level told (dB) | level estimated (dB) | error of the estimate |",
        "|" + " ---: |" * 5,
    ]
    for level in LEVELS:
        found = []
        for clean in photos:
            noisy = add_noise(clean, level)
            told, guessed = clean_up(server, noisy, f"noise_level={level}"), clean_up(server, noisy)
            error = abs(guessed.noise_level - level)
            found.append((psnr_db(noisy, clean), psnr_db(told.pixels, clean), psnr_db(guessed.pixels, clean), error))
        rows.append(f"| {level} | " + " | ".join(f"{value:.2f}" for value in np.mean(found, axis=0)) + " |")
    return f"\n{len(photos)} pictures, noise clipped and rounded to 8 bits, over HTTP:\n\n" + "\n".join(rows)


def tell_same(server: Server, photos: list[Pixels]) -> str:
    """Return how far results differ from those of the SavedModel, called with the whole picture in float32."""
    saved = SavedNetwork(find_version(MODEL_STORE, MODEL))
    differences = []
    for level in LEVELS:
        for clean in photos:
            noisy = add_noise(clean, level)
            sigma = np.array([level / 255], np.float32)
            channels = np.repeat(to_unit(noisy)[None, ..., None], saved.channels, axis=-1)
            direct = saved.denoise(channels, sigma)[0].mean(axis=-1)
            served = clean_up(server, noisy, f"noise_level={level}").pixels
            differences.append(psnr_db(served, clean) - psnr_db(np.rint(direct * 255).astype(np.uint8), clean))
    return (
        f"\nPSNR over HTTP less that of the SavedModel on the same pictures: {statistics.mean(differences):+.3f} dB on "
        f"average, from {min(differences):+.3f} to {max(differences):+.3f} dB."
    )


def tell_clean(server: Server, photos: list[Pixels]) -> str:
    """Return how much clean pictures change with the estimated noise level."""
    answers = [(clean, clean_up(server, clean)) for clean in photos]
    quality = [psnr_db(answer.pixels, clean) for clean, answer in answers]
    shift = max(abs(float(answer.pixels.mean() - clean.mean())) for clean, answer in answers)
    return (
        f"\nClean pictures come back with {statistics.mean(quality):.1f} dB on average, {min(quality):.1f} at least; "
        f"the mean brightness moves by at most {shift:.2f} levels."
    )


def tell_speed(server: Server, photo: Pixels) -> str:
    """Return the seconds for one picture by each method in turn: medians over the rounds, and of the ratios."""
    noisy = add_noise(tile_to(photo, (SPEED_SIDE_PX, SPEED_SIDE_PX)), 25)
    unit = noisy / 255
    methods: dict[str, Callable[[], object]] = {
        "service, over HTTP": lambda: clean_up(server, noisy),
        "OpenCV fastNlMeansDenoising": lambda: cv2.fastNlMeansDenoising(noisy, None, 25),
        "scikit-image denoise_nl_means": lambda: denoise_nl_means(unit, h=0.08, fast_mode=True),
    }
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    for _ in range(SPEED_REPEATS):
        for name, method in methods.items():
            start = time.perf_counter()
            method()
            seconds[name].append(time.perf_counter() - start)
    rows = [
        f"| one picture of {SPEED_SIDE_PX}x{SPEED_SIDE_PX} | seconds | times the service |",
        "| --- | ---: | ---: |",
    ]
    own = next(iter(seconds.values()))
    for name, taken in seconds.items():
        ratio = statistics.median(other / ours for other, ours in zip(taken, own, strict=True))
        rows.append(f"| {name} | {statistics.median(taken):.2f} | {ratio:.1f} |")
    return "\n" + "\n".join(rows)


def tell_memory(server: Server, photo: Pixels) -> str:
    """Return the peak resident memory above idle while a picture of 40 megapixels is denoised."""
    noisy = add_noise(tile_to(photo, LARGE_SIZE), 25)
    idle = server.resident_bytes()
    answer = clean_up(server, noisy)
    grown = (server.peak_bytes() - idle) / 1e6
    return (
        f"\n{noisy.size / 1e6:.0f} megapixels: {answer.seconds:.1f} s, {grown:.0f} MB above idle ({idle / 1e6:.0f} MB)."
    )


def clean_up(server: Server, pixels: Pixels, query: str = "") -> Cleaned:
    """Send one picture, gray or RGB.

    Raises:
        RuntimeError: the service refused it.
    """
    body = encode_png(pixels)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_S)
    start = time.perf_counter()
    connection.request("POST", f"/v1/denoise?model={MODEL}&{query}".rstrip("&"), body)
    answer = connection.getresponse()
    content = answer.read()
    seconds = time.perf_counter() - start
    connection.close()
    if answer.status != http.client.OK:
        raise RuntimeError(json.loads(content)["detail"])
    with Image.open(io.BytesIO(content)) as image:
        return Cleaned(np.asarray(image), float(answer.headers["X-Noise-Level"]), seconds)


def load_gray(path: Path) -> Pixels:
    with Image.open(path) as image:
        pixels: Pixels = np.asarray(image.convert("L"))
        return pixels


def add_noise(clean: Pixels, level: float) -> Pixels:
    """Add noise, clipped and rounded to 8 bits: the same noise for the same size."""
    noise = np.random.RandomState(0).normal(0, level, clean.shape)
    noisy: Pixels = np.rint((clean + noise).clip(0, 255)).astype(np.uint8)
    return noisy


def tile_to(photo: Pixels, size: tuple[int, int]) -> Pixels:
    """Repeat a picture, mirrored, until it has ``size`` (height, width)."""
    missing = [(0, max(0, wanted - length)) for wanted, length in zip(size, photo.shape, strict=True)]
    padded: Pixels = np.pad(photo, missing, mode="symmetric")
    return padded[: size[0], : size[1]]


def psnr_db(denoised: Pixels, clean: Pixels) -> float:
    error = float(np.mean(np.square(denoised.astype(float) - clean)))
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))


if __name__ == "__main__":
    main()
