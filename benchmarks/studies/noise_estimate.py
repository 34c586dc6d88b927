"""Fit the network with which the service estimates noise levels, and say how well it estimates.

``python -m benchmarks.studies.noise_estimate FOLDER...``: the folders hold clean photographs in colour. Noise is that
of training's cameras and scanners, or white, and some pictures stay clean. The coefficients go to the service's
``app/imaging/noise/network.npz``. This is the one place that knows both the noise of the training and the service's
description of pictures.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import Pool
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.imaging.noise.blocks import describe_blocks
from app.imaging.noise.level import NETWORK, RESOLUTION_8BIT
from app.imaging.samples import GRAY_WEIGHTS, LUMA_WEIGHTS
from training.config import Crops
from training.images.camera import draw_log
from training.images.files import find_images, from_8_bit, open_upright, to_rgb
from training.images.mixture import MixedNoise
from training.images.noise import round_to_8_bits
from training.photos.crops import MARGIN_PX, add_camera_noise, add_scan_noise, draw_scaled_crop

Values = NDArray[np.float32]

KINDS = ("camera", "scan", "white", "clean")
KIND_BOUNDS = (0.6, 0.67, 0.8)  # how large a share of the pictures has which kind
WEIGHTS = (1.0, 1.0, 0.7, 1.0)
CLEAN = KINDS.index("clean")
SIDES_PX = (128, 192, 256, 256, 256, 384, 512)
WHITE_LEVELS_8BIT = (1.0, 60.0)
NOISE, CROPS = MixedNoise(), Crops(min_scale=0.4)

HIDDEN, MEMBERS = 16, 4  # the network is the mean of several small ones
STEPS, BATCH = 5000, 256
LEARNING_RATE, WEIGHT_DECAY = 3e-3, 0.05
TOO_LOW = 0.8  # how an estimate that is too low counts, against 1 - TOO_LOW for one that is too high
CLEAN_TOO_HIGH = 4.0  # times the squared error, since the worst of the clean pictures counts
CLEAN_TOO_LOW = 0.3
SMOOTHING = 0.1  # of the loss around zero


class Sample(NamedTuple):
    """What the service sees of a picture of one channel, and its level on the 8-bit scale."""

    described: Values
    level: float
    kind: int
    photo: int


@dataclass(frozen=True)
class Network:
    """Arrays of network.npz: (54,), (54,), (54, H), (H,), (H,), ()."""

    mean: Values
    deviation: Values
    hidden: Values
    bias: Values
    output: Values
    offset: Values

    def estimate(self, described: Values) -> Values:
        """Return levels on the 8-bit scale (N,) from descriptions (N, 54)."""
        hidden = np.maximum((described - self.mean) / self.deviation @ self.hidden + self.bias, 0)
        return from_target(np.asarray(described[:, 0] + hidden @ self.output + self.offset, np.float32))


def main() -> None:
    """Draw, fit, save and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--pictures", type=int, default=6000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--output", type=Path, default=NETWORK)
    arguments = parser.parse_args()
    paths = [path for folder in arguments.folders for path in find_images(folder)]
    with Pool(arguments.processes) as pool:
        drawn = pool.map(partial(draw_samples, paths), range(arguments.pictures), chunksize=20)
    samples = [sample for pair in drawn for sample in pair]
    network = fit([sample for sample in samples if not is_held_out(sample)])
    np.savez_compressed(arguments.output, **vars(network))
    print(report(network, [sample for sample in samples if is_held_out(sample)]))


def is_held_out(sample: Sample) -> bool:
    """Tell whether the picture only reports: every tenth photograph."""
    return sample.photo % 10 == 3


def draw_samples(paths: Sequence[Path], index: int) -> list[Sample]:
    """Return the samples of one picture in two lumas: that of gray pictures, and that in which colour is measured."""
    rng = np.random.default_rng([7, index])
    photo = int(rng.integers(len(paths)))
    pixels = to_rgb(open_upright(paths[photo]))
    side = min(int(rng.choice(SIDES_PX)), min(pixels.shape[:2]) - 2 * MARGIN_PX)
    kind = int(np.searchsorted(KIND_BOUNDS, rng.random(), side="right"))
    noisy, clean, sigma = _draw_pair(pixels, side, kind, rng)
    samples = []
    for weights in (GRAY_WEIGHTS, LUMA_WEIGHTS):
        plane = np.asarray(np.rint(noisy * 255) / np.float32(255) @ weights, np.float32)
        level = float(np.sqrt(np.mean(np.square((noisy - clean) @ weights))))
        if sigma is not None:
            level = sigma * float(np.linalg.norm(weights))
        described = describe_blocks(partial(_read_rows, plane), *plane.shape)
        if described is not None:
            samples.append(Sample(described, 255 * level, kind, photo))
    return samples


def _read_rows(plane: Values, first: int, last: int) -> Values:
    return plane[first:last]


def _draw_pair(
    photo: NDArray[np.uint8], side: int, kind: int, rng: np.random.Generator
) -> tuple[Values, Values, float | None]:
    """Return (noisy, clean), (side, side, 3) in [0, 1], and the standard deviation of white noise."""
    match KINDS[kind]:
        case "camera":
            noisy, clean, _ = add_camera_noise(photo, NOISE, side, rng, is_gray=False)
            return noisy, clean, None
        case "scan":
            noisy, clean, _ = add_scan_noise(NOISE, side, rng, is_gray=False)
            return noisy, clean, None
    clean = from_8_bit(draw_scaled_crop(photo, replace(CROPS, side_px=side), rng))
    if KINDS[kind] == "clean":
        return clean, clean, None
    sigma = draw_log(WHITE_LEVELS_8BIT, rng) / 255
    return round_to_8_bits(clean + sigma * rng.standard_normal(clean.shape, dtype=np.float32)), clean, sigma


def to_target(levels: Values) -> Values:
    """Return the logarithm of levels on the 8-bit scale; small ones are not told apart."""
    return np.asarray(np.log(np.square(levels) + RESOLUTION_8BIT**2) / 2, np.float32)


def from_target(targets: Values) -> Values:
    """Undo ``to_target``."""
    return np.asarray(np.sqrt(np.maximum(np.exp(2 * targets) - RESOLUTION_8BIT**2, 0)), np.float32)


def fit(samples: Sequence[Sample]) -> Network:
    """Fit several networks of one hidden layer to the logarithm of level / described[0], and put them side by side."""
    described = np.stack([sample.described for sample in samples])
    targets = to_target(np.array([sample.level for sample in samples], np.float32)) - described[:, 0]
    kinds = np.array([sample.kind for sample in samples])
    mean, deviation = described.mean(axis=0), described.std(axis=0) + np.float32(1e-3)
    inputs = (described - mean) / deviation
    members = [_fit_member(inputs, targets, kinds, seed) for seed in range(MEMBERS)]
    hidden, bias, output, offset = zip(*members, strict=True)
    return Network(
        mean,
        deviation,
        np.concatenate(hidden, axis=1),
        np.concatenate(bias),
        np.asarray(np.concatenate(output) / MEMBERS, np.float32),
        np.asarray(np.mean(offset, axis=0), np.float32),
    )


def _fit_member(inputs: Values, targets: Values, kinds: NDArray[np.int_], seed: int) -> list[Values]:
    """Minimise the loss of ``_slope`` with AdamW; return hidden weights, bias, output weights and offset."""
    rng = np.random.default_rng(seed)
    features = inputs.shape[1]
    parameters = [
        rng.normal(0, features**-0.5, (features, HIDDEN)),
        np.zeros(HIDDEN),
        rng.normal(0, HIDDEN**-0.5, HIDDEN),
        np.array(targets.mean()),
    ]
    first = [np.zeros_like(parameter) for parameter in parameters]
    second = [np.zeros_like(parameter) for parameter in parameters]
    for step in range(1, STEPS + 1):
        chosen = rng.integers(len(targets), size=BATCH)
        gradients = _differentiate(parameters, inputs[chosen], targets[chosen], kinds[chosen])
        rate = LEARNING_RATE * (1 + np.cos(np.pi * step / STEPS)) / 2
        for place, gradient in enumerate(gradients):
            first[place] = 0.9 * first[place] + 0.1 * gradient
            second[place] = 0.99 * second[place] + 0.01 * gradient**2
            change = first[place] / (1 - 0.9**step) / (np.sqrt(second[place] / (1 - 0.99**step)) + 1e-8)
            decay = WEIGHT_DECAY * parameters[place] if place in {0, 2} else 0
            parameters[place] = parameters[place] - rate * (change + decay)
    return [np.asarray(parameter, np.float32) for parameter in parameters]


def _differentiate(
    parameters: list[Values], inputs: Values, targets: Values, kinds: NDArray[np.int_]
) -> tuple[Values, ...]:
    hidden_weights, bias, output, offset = parameters
    hidden = np.maximum(inputs @ hidden_weights + bias, 0)
    error = targets - (hidden @ output + offset)
    back = -_slope(error, kinds) * np.take(WEIGHTS, kinds) / len(targets)
    inner = np.outer(back, output) * (hidden > 0)
    return inputs.T @ inner, inner.sum(axis=0), hidden.T @ back, back.sum()


def _slope(error: Values, kinds: NDArray[np.int_]) -> Values:
    """Return the derivative of the loss: a smoothed pinball loss, and for clean pictures one that is steep above."""
    side = np.clip(error / SMOOTHING, -1, 1)
    noisy = 2 * side * np.where(error > 0, TOO_LOW, 1 - TOO_LOW)
    clean = np.where(error > 0, CLEAN_TOO_LOW * side, CLEAN_TOO_HIGH * error)
    return np.where(kinds == CLEAN, clean, noisy)


def report(network: Network, samples: Sequence[Sample]) -> str:
    """Return how far estimates are from levels of at least 1.5, as ratios, and what they are for clean pictures."""
    lines = []
    for kind, name in enumerate(KINDS):
        own = [sample for sample in samples if sample.kind == kind and (name == "clean" or sample.level >= 1.5)]
        if not own:
            continue
        estimates = network.estimate(np.stack([sample.described for sample in own]))
        values = estimates if name == "clean" else estimates / np.array([sample.level for sample in own])
        low, middle, high = np.quantile(values, (0.1, 0.5, 0.9))
        what = "level" if name == "clean" else "ratio to the level"
        lines.append(f"{name}: {len(own)} pictures, {what} {middle:.2f}, 80 % between {low:.2f} and {high:.2f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
