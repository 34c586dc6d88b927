"""Measure the CPU time of the work itself, without HTTP: decode, infer in micro-batches, encode; print JSON.

``python -m benchmarks.scenarios.steps MODEL``
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from app.imaging.decode import decode_gray, open_image
from app.imaging.fit import fit_image
from app.imaging.png import encode_png
from app.imaging.samples import FloatImage, to_levels
from app.inference.denoiser import Denoiser
from app.inference.runtimes import tensorflow as savedmodel
from benchmarks.harness.pictures import noisy_digit, to_png
from benchmarks.peers import pictures as plain

BATCHES = (1, 32, 64)
REPEATS = 7
SLICE_S = 0.15


def main() -> None:
    """Print, for each step, the microseconds of CPU time per picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    arguments = parser.parse_args()
    print(json.dumps(measure_steps(arguments.model)))


def measure_steps(model: Path) -> dict[str, float]:
    """Return, by step, the microseconds of CPU time per picture, all threads of the process together."""
    savedmodel.use_one_thread_a_call()
    denoiser = savedmodel.load_savedmodel(model)
    png = to_png(noisy_digit())
    image = plain.decode(png)
    batches = {size: np.repeat(image[None, ..., np.newaxis], size, axis=0) for size in BATCHES}
    denoised = denoiser.denoise(batches[1])[0, ..., 0]
    steps: dict[str, tuple[Callable[[], object], int]] = {
        "decode": (lambda: _decode(png), 1),
        "decode_plain": (lambda: plain.decode(png), 1),
        "encode": (lambda: encode_png(to_levels(denoised)), 1),
        "encode_plain": (lambda: plain.encode(denoised), 1),
        **{f"infer_{size}": (_inference(denoiser, batch), size) for size, batch in batches.items()},
    }
    return {name: _cpu_us(step, pictures) for name, (step, pictures) in steps.items()}


def _decode(png: bytes) -> FloatImage:
    """Decode as for a request without parameters, with every rule and limit."""
    gray = decode_gray(open_image(png, max_pixels=40_000_000), backdrop=1.0)
    size = gray.shape[0], gray.shape[1]
    return fit_image(gray, size=size, network_polarity="light-on-dark", fit="stretch", polarity="auto").image


def _inference(denoiser: Denoiser, batch: FloatImage) -> Callable[[], FloatImage]:
    return lambda: denoiser.denoise(batch)


def _cpu_us(step: Callable[[], object], pictures: int) -> float:
    """Return the median over slices of time, of which the first is warm-up."""
    costs = []
    for _ in range(1 + REPEATS):
        count, start, cpu = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() - start < SLICE_S:
            step()
            count += 1
        costs.append((time.process_time() - cpu) / (count * pictures) * 1e6)
    return statistics.median(costs[1:])


if __name__ == "__main__":
    main()
