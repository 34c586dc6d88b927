"""Keras networks as SavedModels for the model store: the only module of training that imports TensorFlow."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import keras
import numpy as np
from numpy.typing import NDArray

from training.errors import StoreError
from training.images.noise import Images
from training.quiet import without_greetings

with without_greetings():
    import tensorflow as tf

SIGNATURE = "serving_default"
EMPTY: Mapping[str, keras.Model] = MappingProxyType({})
VERSIONS = {"tensorflow": tf.__version__}


def save_network(
    network: keras.Model, folder: Path, *, size_multiple: int = 1, special_cases: Mapping[str, keras.Model] = EMPTY
) -> None:
    """Write ``network`` as a SavedModel, or raise StoreError if Keras does not run on TensorFlow.

    The network's inputs are named ``image``, (N, H, W, C), and perhaps ``noise_level``, (N,). Its output is clipped to
    [0, 1]. The graph pads images to ``size_multiple`` by mirroring their edge, and crops the output. The
    ``special_cases`` become further signatures; they have the weights and the inputs of ``network``. A file that cannot
    be written raises StoreError, too.
    """
    check_backend(keras.backend.backend())
    module = tf.Module()
    module.weights = [variable.value for variable in network.weights]
    signatures = {name: _trace(model, size_multiple) for name, model in {SIGNATURE: network, **special_cases}.items()}
    try:
        tf.saved_model.save(module, str(folder), signatures=signatures)
    except tf.errors.OpError as error:  # of several types for a full disk
        raise StoreError(f"{folder.parent}: TensorFlow cannot write the network: {_explain(error)}") from error
    # The contract does not use these.
    (folder / "fingerprint.pb").unlink()
    shutil.rmtree(folder / "assets")


def _trace(network: keras.Model, size_multiple: int) -> tf.types.experimental.ConcreteFunction:
    """Return the graph of ``network`` with padding, cropping and clipping."""
    specs = {tensor.name: tf.TensorSpec(tensor.shape, tf.float32, name=tensor.name) for tensor in network.inputs}

    def denoise(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        image = inputs["image"]
        inputs["image"] = _pad_to_multiple(image, size_multiple) if size_multiple > 1 else image
        denoised = network(inputs if len(inputs) > 1 else inputs["image"], training=False)
        if size_multiple > 1:
            denoised = denoised[:, : tf.shape(image)[1], : tf.shape(image)[2]]
        return {"denoised": tf.clip_by_value(denoised, 0.0, 1.0)}

    return tf.function(denoise, autograph=False).get_concrete_function(**specs)


def _explain(error: tf.errors.OpError) -> str:
    """Return what the operating system said, without TensorFlow's names of nodes and operations."""
    return re.sub(r"\{\{.*?\}\} | \[Op:.*\]", "", str(error.message).strip().partition("\n")[0])


def check_backend(name: str) -> None:
    """Raise StoreError unless TensorFlow can trace networks of this Keras backend."""
    if name != "tensorflow":
        raise StoreError(f"cannot export with Keras on {name}: set KERAS_BACKEND=tensorflow and use `export`")


def _pad_to_multiple(image: tf.Tensor, multiple: int) -> tf.Tensor:
    """Mirror NHWC at its last row and column; where the mirror image ends, its first pixel repeats."""
    for axis in (1, 2):
        length = tf.shape(image)[axis]
        offsets = tf.range(-length % multiple)
        image = tf.concat([image, tf.gather(image, tf.maximum(length - 1 - offsets, 0), axis=axis)], axis=axis)
    return image


def load_weights(folder: Path) -> list[NDArray[np.float32]]:
    """Return the weights of a version that ``save_network`` wrote, in the network's order, or raise StoreError."""
    try:
        checkpoint = tf.train.load_checkpoint(str(folder / "variables" / "variables"))
    except Exception as error:  # TensorFlow raises errors of many types for damaged files
        raise StoreError(f"{folder}: TensorFlow cannot read its weights: {error}") from error
    names = [name for name in checkpoint.get_variable_to_shape_map() if name.startswith("weights/")]
    if not names:
        raise StoreError(f"{folder}: was not exported by this package: its weights have no order")
    return [checkpoint.get_tensor(name) for name in sorted(names, key=lambda name: int(name.split("/")[1]))]


class SavedNetwork:
    """A SavedModel's signature for NumPy arrays; ``inputs`` and ``outputs`` map names to (dtype, shape)."""

    def __init__(self, folder: Path, name: str = SIGNATURE) -> None:
        """Load ``folder``, or raise StoreError if it is damaged or lacks the signature ``name``."""
        try:
            self._loaded = tf.saved_model.load(str(folder))
        except Exception as error:  # TensorFlow raises errors of many types for damaged files
            raise StoreError(f"{folder}: TensorFlow cannot load it: {error}") from error
        if name not in self._loaded.signatures:
            raise StoreError(f"{folder}: no signature {name}, only {sorted(self._loaded.signatures)}")
        self._signature = self._loaded.signatures[name]
        self.inputs = _describe(self._signature.structured_input_signature[1])
        self.outputs = _describe(self._signature.structured_outputs)

    @property
    def channels(self) -> int:
        """Number of the images' channels, StoreError if it is free."""
        shape = self.inputs["image"][1]
        if shape is None or not shape[-1]:
            raise StoreError(f"image has the shape {shape}, whose channels are free")
        return shape[-1]

    @property
    def size(self) -> tuple[int | None, int | None]:
        """Height and width of the images, None if they are free."""
        shape = self.inputs["image"][1]
        return (None, None) if shape is None else (shape[1], shape[2])

    def denoise(self, image: Images, noise_level: Images | None = None) -> Images:
        """Return float32 like ``image``, NHWC, or raise StoreError; ``noise_level`` (N,) goes to networks with it."""
        inputs = {"image": image} if noise_level is None else {"image": image, "noise_level": noise_level}
        try:
            outputs = self._signature(**{name: tf.constant(value) for name, value in inputs.items()})
        except tf.errors.OpError as error:
            raise StoreError(f"{SIGNATURE} fails for images of shape {image.shape}: {error.message}") from error
        return np.asarray(outputs["denoised"])


def _describe(specs: dict[str, tf.TypeSpec]) -> dict[str, tuple[str, tuple[int | None, ...] | None]]:
    return {
        name: (spec.dtype.name, None if spec.shape.rank is None else tuple(spec.shape.as_list()))
        for name, spec in specs.items()
    }
