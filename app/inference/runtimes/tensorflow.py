"""A SavedModel as a Denoiser: the only module of the service that imports TensorFlow."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from app.errors import ModelStoreError
from app.imaging.samples import WHITE_8, FloatImage
from app.inference.denoiser import NoiseLevels


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
CPU_INFO = Path("/proc/cpuinfo")
MIN_ROUNDED_LEVEL = 5 / WHITE_8  # below, bfloat16's rounding would be a visible part of what is left of the noise
BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})


class SavedModelDenoiser:
    """The signature ``serving_default`` of a SavedModel: ``image`` and perhaps ``noise_level`` in, ``denoised`` out."""

    def __init__(self, loaded: Any, signature: Any, *, allows_bfloat16: bool = False) -> None:  # noqa: ANN401  # TensorFlow has no types
        """Wrap a signature; see load_savedmodel."""
        self._loaded = loaded  # owns the variables that the signature reads
        self._signature = signature
        self._rounding_config = _bfloat16_config() if allows_bfloat16 else b""
        self._captured = signature.captured_inputs
        names = [tensor.name.partition(":")[0] for tensor in signature.inputs]
        self._takes_level_first = "noise_level" in names and names.index("noise_level") < names.index("image")
        self._output_types = [output.dtype for output in signature.outputs]
        self._denoised = sorted(signature.structured_outputs).index("denoised")  # as tf.nest flattens a dictionary

    def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
        """Run the signature's graph; see Denoiser.denoise.

        As an operation, since calling the signature matches the arguments with its Python signature, a third of the
        time of one digit; and on this thread, since waking another one costs more than small networks have to share.
        """
        image = tf.constant(images[..., np.newaxis])
        inputs = [image] if noise_levels is None else [image, tf.constant(noise_levels)]
        if self._takes_level_first:
            inputs.reverse()
        is_noisy = noise_levels is not None and noise_levels.min() >= MIN_ROUNDED_LEVEL
        outputs = tf.raw_ops.StatefulPartitionedCall(
            args=[*inputs, *self._captured],
            Tout=self._output_types,
            f=self._signature,
            config_proto=self._rounding_config if is_noisy else b"",
            executor_type="SINGLE_THREADED_EXECUTOR",
        )
        denoised: FloatImage = outputs[self._denoised].numpy()[..., 0]
        return denoised


def create_loader(precision: Literal["auto", "float32"]) -> Callable[[Path], SavedModelDenoiser]:
    """See app.inference.runtimes.create_loader."""
    use_one_thread_a_call()
    return partial(load_savedmodel, allows_bfloat16=precision == "auto")


def use_one_thread_a_call() -> None:
    """Let TensorFlow compute each call in the thread that makes it; only before the first network is loaded."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def load_savedmodel(folder: Path, *, allows_bfloat16: bool = False) -> SavedModelDenoiser:
    """Load one version.

    ``allows_bfloat16`` lets a network of any size compute in bfloat16 where the processor has instructions for it, and
    where the noise is MIN_ROUNDED_LEVEL at least: half the time, for an error of a quarter of a level (RMS). Networks
    of a fixed size are too small to gain by it.

    Raises:
        ModelStoreError: TensorFlow cannot load it, or it has another signature than the contract says.
    """
    try:
        loaded = tf.saved_model.load(str(folder))
    except Exception as error:  # TensorFlow raises what it likes for a damaged file
        raise ModelStoreError(f"{folder}: TensorFlow cannot load it: {error}") from error
    signature = loaded.signatures.get(SIGNATURE)
    if signature is None:
        raise ModelStoreError(f"{folder}: no signature {SIGNATURE}, only {sorted(loaded.signatures)}")
    inputs = set(signature.structured_input_signature[1])
    if not {"image"} <= inputs <= {"image", "noise_level"} or "denoised" not in signature.structured_outputs:
        raise ModelStoreError(
            f"{folder}: {SIGNATURE} takes {sorted(inputs)} and gives {sorted(signature.structured_outputs)}, "
            "not image, perhaps noise_level, and denoised"
        )
    is_free = signature.structured_input_signature[1]["image"].shape[1] is None
    return SavedModelDenoiser(loaded, signature, allows_bfloat16=allows_bfloat16 and is_free and _has_bfloat16())


def _has_bfloat16() -> bool:
    """Whether the processor has instructions for it, as far as Linux tells; without them it would cost time."""
    try:
        flags = CPU_INFO.read_text().partition("\nflags")[2].partition("\n")[0].split()
    except OSError:
        return False
    return not BFLOAT16_FLAGS.isdisjoint(flags)


def _bfloat16_config() -> bytes:
    config = tf.compat.v1.ConfigProto()
    rewrites = config.graph_options.rewrite_options
    rewrites.auto_mixed_precision_onednn_bfloat16 = rewrites.ON
    serialized: bytes = config.SerializeToString()
    return serialized
