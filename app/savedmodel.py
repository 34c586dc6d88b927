"""A SavedModel as a Denoiser: the only module of the service that imports TensorFlow."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

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
    """The signature ``serving_default`` of a SavedModel: input ``image``, output ``denoised``."""

    def __init__(self, loaded: Any, signature: Any) -> None:  # noqa: ANN401  # TensorFlow has no types
        self._loaded = loaded  # owns the variables that the signature reads
        self._signature = signature
        self._captured = signature.captured_inputs
        self._output_types = [output.dtype for output in signature.outputs]
        self._denoised = sorted(signature.structured_outputs).index("denoised")  # as tf.nest flattens a dictionary

    def denoise(self, images: FloatImage) -> FloatImage:
        """Run the signature's graph; see Denoiser.denoise.

        As an operation, since calling the signature matches the arguments with its Python signature, a third of the
        time of one digit; and on this thread, since waking another one costs more than small networks have to share
        (operations that are worth it still use the threads of set_threads).
        """
        outputs = tf.raw_ops.StatefulPartitionedCall(
            args=[tf.constant(images[..., np.newaxis]), *self._captured],
            Tout=self._output_types,
            f=self._signature,
            executor_type="SINGLE_THREADED_EXECUTOR",
        )
        denoised: FloatImage = outputs[self._denoised].numpy()[..., 0]
        return denoised


def set_threads(count: int) -> None:
    """Let TensorFlow compute with ``count`` threads; only before the first network is loaded."""
    tf.config.threading.set_intra_op_parallelism_threads(count)
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
    if inputs != {"image"} or "denoised" not in signature.structured_outputs:
        msg = f"{folder}: {SIGNATURE} takes {sorted(inputs)} and gives {sorted(signature.structured_outputs)}, "
        msg += "not image and denoised"
        raise ModelStoreError(msg)
    return SavedModelDenoiser(loaded, signature)
