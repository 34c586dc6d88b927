"""Batches of noisy and clean images, with new noise in every step."""

import keras
import numpy as np

from training.images.augmentation import RandomAffine
from training.images.noise import Images, Noise, RecordedNoise, pair_up


class NoisyBatches(keras.utils.PyDataset):
    """Shuffled (noisy, clean) batches that depend on (seed, epoch, step) alone, for the sake of resumed runs.

    ``images`` and ``noise`` are as for ``pair_up``; augmentation is for images without a noisy counterpart.
    """

    def __init__(
        self,
        images: Images,
        noise: Noise | RecordedNoise,
        *,
        batch_size: int,
        seed: int,
        augmentation: RandomAffine | None = None,
        augmented_epochs: float = 0,
    ) -> None:
        super().__init__()
        self.images = images
        self.noise = noise
        self.augmentation = augmentation
        self.augmented_epochs = augmented_epochs
        self.batch_size = batch_size
        self.seed = seed
        self.start_epoch(0)

    def start_epoch(self, epoch: int) -> None:
        self.epoch = epoch
        self.order = np.random.default_rng([self.seed, epoch]).permutation(len(self.images))

    def __len__(self) -> int:
        return -(-len(self.images) // self.batch_size)

    def __getitem__(self, step: int) -> tuple[Images, Images]:
        images = self.images[self.order[step * self.batch_size : (step + 1) * self.batch_size]]
        # SeedSequence ignores trailing zeros and [seed, epoch] is the order's seed, so steps count from 1 here.
        rng = np.random.default_rng([self.seed, self.epoch, step + 1])
        if self.augmentation and self.epoch < self.augmented_epochs:
            images = self.augmentation.apply_to(images, rng)
        return pair_up(images, self.noise, rng)
