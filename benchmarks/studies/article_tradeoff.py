"""Compare the article's network with variants: filters halved or doubled, average instead of max pooling.

``python -m benchmarks.studies.article_tradeoff --data mnist.npz`` trains each variant as a denoiser from random weights
for a few epochs, on clean images with Gaussian noise 0.4, and prints a table of the results on held-out images.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial

import keras
import numpy as np

from training.digits.batches import NoisyBatches
from training.digits.data import CleanImages, load_clean_images
from training.digits.networks import build_article
from training.images.metrics import bce, count_macs
from training.images.noise import GaussianNoise

VARIANTS: dict[str, Callable[[], keras.Model]] = {
    "as in the article": build_article,
    "filters halved": partial(build_article, filters=4),
    "filters doubled": partial(build_article, filters=16),
    "average pooling": partial(build_article, pooling="average"),
}
NOISE = GaussianNoise(0.4)
BATCH_SIZE = 128


def main() -> None:
    """Print a row of Markdown for each variant."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="mnist", help="mnist, or an .npz file with its layout")
    parser.add_argument("--epochs", type=int, default=5)
    arguments = parser.parse_args()
    images = load_clean_images(arguments.data, height=28, width=28, seed=0)
    print(f"| {arguments.epochs} epochs | parameters | multiply-accumulates | processor seconds per epoch | BCE |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, build in VARIANTS.items():
        keras.utils.set_random_seed(0)
        network = build()
        seconds = train(network, images, epochs=arguments.epochs)
        noisy = NOISE.add_to(images.validation, np.random.default_rng(1))
        loss = bce(images.validation, network.predict(noisy, batch_size=500, verbose=0))
        print(
            f"| {name} | {network.count_params():,} | {count_macs(network):,} | {seconds:.1f} | {loss:.4f} |",
            flush=True,
        )


def train(network: keras.Model, images: CleanImages, *, epochs: int) -> float:
    """Train, and return the mean processor seconds per epoch, without the first, which traces the graph.

    They are those of all cores together, so that other work on the machine does not count.
    """
    batches = NoisyBatches(images.train, NOISE, batch_size=BATCH_SIZE, seed=0)
    network.compile(keras.optimizers.Adadelta(1.0), "binary_crossentropy", jit_compile=False, steps_per_execution=10)
    seconds = []
    for epoch in range(epochs):
        batches.start_epoch(epoch)
        start = time.process_time()
        network.fit(batches, shuffle=False, verbose=0)
        seconds.append(time.process_time() - start)
    return float(np.mean(seconds[1:] or seconds))


if __name__ == "__main__":
    main()
