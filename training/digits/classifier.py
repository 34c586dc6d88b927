"""A small classifier of clean digits, which shows whether denoised ones are still legible."""

from pathlib import Path

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from training.config import AdamW
from training.digits.batches import NoisyBatches
from training.digits.data import CleanImages
from training.digits.evaluate import map_batches
from training.errors import DataError
from training.fit.optimizers import build_optimizer
from training.images.augmentation import RandomAffine
from training.images.noise import Images, NoNoise

# Committed, so that accuracies are comparable between machines; ``python -m training classifier`` makes it.
WEIGHTS = Path(__file__).with_name("classifier.npz")
# Handwriting has more angles and sizes than MNIST.
AUGMENTATION = RandomAffine(share=0.8, rotation_rad=0.2, scale=0.12, shear=0.2, shift_px=1.5)
EPOCHS = 8
BATCH_SIZE = 128


class LabelledBatches(keras.utils.PyDataset):
    """Shuffled (image, label) batches of warped images without noise."""

    def __init__(self, batches: NoisyBatches, labels: NDArray[np.uint8]) -> None:
        super().__init__()
        self.batches = batches
        self.labels = labels

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, step: int) -> tuple[Images, NDArray[np.uint8]]:
        _, warped = self.batches[step]
        return warped, self.labels[self.batches.order[step * BATCH_SIZE : (step + 1) * BATCH_SIZE]]


def build_classifier() -> keras.Model:
    """Build a network of four convolutions from (N, 28, 28, 1) to the logits of ten digits."""
    image = keras.Input((28, 28, 1))
    hidden = image
    for filters, size, strides in ((24, 5, 2), (48, 3, 1), (64, 3, 2), (64, 3, 1)):
        hidden = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False)(hidden)
        hidden = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(hidden))
    hidden = layers.Dropout(0.4)(layers.Flatten()(hidden))
    return keras.Model(image, layers.Dense(10)(hidden), name="classifier")


def train_classifier(images: CleanImages, *, epochs: int = EPOCHS) -> keras.Model:
    """Train on clean images and their labels, or raise DataError if there are none."""
    if images.labels is None:
        raise DataError(f"{images.name}: a classifier needs the labels y_train and y_test")
    keras.utils.set_random_seed(0)
    batches = NoisyBatches(
        images.train, NoNoise(), batch_size=BATCH_SIZE, seed=0, augmentation=AUGMENTATION, augmented_epochs=epochs
    )
    network = build_classifier()
    network.compile(
        build_optimizer(AdamW(2e-3), steps=len(batches) * epochs),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    )
    network.fit(
        LabelledBatches(batches, images.labels.train),
        shuffle=False,
        epochs=epochs,
        verbose=2,
        validation_data=(images.validation, images.labels.validation),
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, _logs: batches.start_epoch(epoch))],
    )
    return network


def save_classifier(network: keras.Model, path: Path = WEIGHTS) -> None:
    """Write the weights at half precision."""
    np.savez_compressed(path, *[weight.astype(np.float16) for weight in network.get_weights()])


def load_classifier(path: Path = WEIGHTS) -> keras.Model:
    """Load what ``save_classifier`` wrote, by default the classifier of the repository."""
    network = build_classifier()
    with np.load(path) as archive:
        network.set_weights([archive[name].astype(np.float32) for name in archive.files])
    return network


def read_digits(network: keras.Model, images: Images) -> NDArray[np.int64]:
    """Return the digit in each image of (N, 28, 28, 1)."""
    logits = map_batches(lambda batch: ops.convert_to_numpy(network(batch, training=False)), images)
    return np.asarray(np.argmax(logits, axis=1), np.int64)
