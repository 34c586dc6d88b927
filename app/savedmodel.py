"""A SavedModel as a Denoiser: the only module of the service that imports TensorFlow."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from app.denoiser import NoiseLevels
from app.errors import ModelStoreError
from app.images import FloatImage


@contextmanager
def _without_greetings() -> Iterator[None]:
    """Hold back what is written to stderr, Python or not, and show it only if the block fails."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(stderr, held.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
with _without_greetings():  # the C++ part greets before it knows its log level
    import tensorflow as tf

SIGNATURE = "serving_default"


class SavedModelDenoiser:
    """The signature ``serving_default`` of a SavedModel: ``image`` and perhaps ``noise_level`` in, ``denoised`` out."""

    def __init__(self, loaded: Any, signature: Any) -> None:  # noqa: ANN401  # TensorFlow has no types
        self._loaded = loaded  # owns the variables that the signature reads
        self._signature = signature

    def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
        """Call the signature; see Denoiser.denoise."""
        inputs = {"image": tf.constant(images[..., np.newaxis])}
        if noise_levels is not None:
            inputs["noise_level"] = tf.constant(noise_levels)
        outputs = self._signature(**inputs)
        denoised: FloatImage = outputs["denoised"].numpy()[..., 0]
        return denoised


def use_one_thread_a_call() -> None:
    """Let TensorFlow compute each call in the thread that makes it; only before the first network is loaded."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def load_savedmodel(folder: Path) -> SavedModelDenoiser:
    """Load one version.

    Raises:
        ModelStoreError: TensorFlow cannot load it, or it has another signature than the contract says.
    """
    try:
        loaded = tf.saved_model.load(str(folder))
    except Exception as error:  # TensorFlow raises what it likes for a damaged file
        msg = f"{folder}: TensorFlow cannot load it: {error}"
        raise ModelStoreError(msg) from error
    signature = loaded.signatures.get(SIGNATURE)
    if signature is None:
        msg = f"{folder}: no signature {SIGNATURE}, only {sorted(loaded.signatures)}"
        raise ModelStoreError(msg)
    inputs = set(signature.structured_input_signature[1])
    if not {"image"} <= inputs <= {"image", "noise_level"} or "denoised" not in signature.structured_outputs:
        msg = f"{folder}: {SIGNATURE} takes {sorted(inputs)} and gives {sorted(signature.structured_outputs)}, "
        msg += "not image, perhaps noise_level, and denoised"
        raise ModelStoreError(msg)
    return SavedModelDenoiser(loaded, signature)
