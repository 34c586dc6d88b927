"""Run a SavedModel as a Denoiser; no other module of the service imports TensorFlow."""

import os
import sys
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.errors import ModelStoreError
from app.imaging.samples import FloatImage
from app.inference.denoiser import Denoiser, NoiseLevels
from app.inference.runtimes.bfloat16 import is_fast, is_noisy, read_cpu_flags
from app.inference.runtimes.by_colour import ByColour
from app.inference.runtimes.signature import SIGNATURE, check_signature


@contextmanager
def _without_greetings() -> Iterator[None]:
    """Hold back what Python or C++ writes to stderr, and show it only if the ``with`` block fails."""
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
# What threads share of compiled kernels; by default 1,024 of them, which are kept when a thread ends.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256")
with _without_greetings():  # the C++ code logs before it reads its log level
    import tensorflow as tf
    from tensorflow.python.eager import context  # its public face cannot clear the cache of kernels

GRAY, COLOURED = "gray", "coloured"  # signatures of some networks


class SavedModelDenoiser:
    """Runs the signature ``serving_default``: ``image`` and perhaps ``noise_level`` in, ``denoised`` out."""

    def __init__(self, loaded: Any, signature: Any, *, allows_bfloat16: bool = False) -> None:  # noqa: ANN401  # TensorFlow has no types
        """Wrap a signature; see load_savedmodel."""
        self._loaded = loaded  # keeps alive the variables that the signature reads
        self._signature = signature
        self._rounding_config = _bfloat16_config() if allows_bfloat16 else b""
        self._captured = signature.captured_inputs
        names = [tensor.name.partition(":")[0] for tensor in signature.inputs]
        self._takes_level_first = "noise_level" in names and names.index("noise_level") < names.index("image")
        self._output_types = [output.dtype for output in signature.outputs]
        self._denoised = sorted(signature.structured_outputs).index("denoised")  # tf.nest sorts the keys

    def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
        """Run the signature's graph; see Denoiser.denoise.

        It runs as an operation, because calling the signature binds arguments in Python, a third of the time of one
        digit; and on this thread, because waking another one costs more than a small network could save.
        """
        image = tf.constant(images)
        inputs = [image] if noise_levels is None else [image, tf.constant(noise_levels)]
        if self._takes_level_first:
            inputs.reverse()
        outputs = tf.raw_ops.StatefulPartitionedCall(
            args=[*inputs, *self._captured],
            Tout=self._output_types,
            f=self._signature,
            config_proto=self._rounding_config if is_noisy(noise_levels) else b"",
            executor_type="SINGLE_THREADED_EXECUTOR",
        )
        denoised: FloatImage = outputs[self._denoised].numpy()
        return denoised


def use_one_thread_a_call() -> None:
    """Let TensorFlow compute each call in its caller's thread; works only before the first network is loaded."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def load_savedmodel(folder: Path, *, allows_bfloat16: bool = False) -> Denoiser:
    """Load one version.

    ``allows_bfloat16`` lets a network of any size compute in bfloat16 if the processor is fast at it and
    the noise level is at least MIN_ROUNDED_LEVEL: half the time, for an error of a quarter of an 8-bit level (RMS).
    Networks of a fixed size are too small to gain by it.

    Raises:
        ModelStoreError: TensorFlow cannot load it, or its signature does not meet the contract.
    """
    try:
        loaded = tf.saved_model.load(str(folder))
    except Exception as error:  # TensorFlow may raise anything for a damaged file
        raise ModelStoreError(f"{folder}: TensorFlow cannot load it: {error}") from error
    signature = _find_signature(loaded, SIGNATURE, folder)
    is_free = signature.structured_input_signature[1]["image"].shape[1] is None
    rounds = allows_bfloat16 and is_free and is_fast(read_cpu_flags())
    denoiser: Denoiser = SavedModelDenoiser(loaded, signature, allows_bfloat16=rounds)
    if set(loaded.signatures) >= {GRAY, COLOURED}:
        gray, coloured = (
            SavedModelDenoiser(loaded, _find_signature(loaded, name, folder), allows_bfloat16=rounds)
            for name in (GRAY, COLOURED)
        )
        denoiser = ByColour(denoiser, gray=gray, coloured=coloured)
    weakref.finalize(denoiser, _forget_kernels).atexit = False
    return denoiser


def _find_signature(loaded: Any, name: str, folder: Path) -> Any:  # noqa: ANN401  # TensorFlow has no types
    """Return a signature, or raise ModelStoreError if it is missing or does not meet the contract."""
    signature = loaded.signatures.get(name)
    if signature is None:
        raise ModelStoreError(f"{folder}: no signature {name}, only {sorted(loaded.signatures)}")
    inputs, outputs = signature.structured_input_signature[1], signature.structured_outputs
    check_signature(folder, name, inputs=inputs, outputs=outputs)
    return signature


def _forget_kernels() -> None:
    """Let go of what TensorFlow prepared for networks that are gone; it prepares that of others again.

    Otherwise it keeps about a megabyte for each network that was ever loaded.
    """
    context.context().clear_kernel_cache()


def _bfloat16_config() -> bytes:
    config = tf.compat.v1.ConfigProto()
    rewrites = config.graph_options.rewrite_options
    rewrites.auto_mixed_precision_onednn_bfloat16 = rewrites.ON
    serialized: bytes = config.SerializeToString()
    return serialized
