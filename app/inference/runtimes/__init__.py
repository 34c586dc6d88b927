"""The runtimes that run networks, each imported by a module of its own and nowhere else."""

from functools import partial
from importlib.util import find_spec
from typing import Literal

from app.errors import ModelStoreError
from app.inference.denoiser import Loader

Runtime = Literal["tensorflow", "openvino"]


def create_loader(runtime: Runtime, *, precision: Literal["auto", "float32"], threads: int) -> Loader:
    """Return a function that loads the folder of a version; the runtime then computes each call in one thread.

    Args:
        runtime: which one.
        precision: ``float32``, or ``auto``: bfloat16 where that is much faster and hardly differs.
        threads: that will call a network of any size at once.

    Raises:
        ModelStoreError: the runtime is not installed; the text says how to install it.
    """
    check_installed(runtime)
    allows_bfloat16 = precision == "auto"
    if runtime == "openvino":
        from app.inference.runtimes import openvino  # here and below: nothing else waits for a runtime

        return partial(openvino.load_savedmodel, allows_bfloat16=allows_bfloat16, threads=threads)
    from app.inference.runtimes import tensorflow

    tensorflow.use_one_thread_a_call()
    return partial(tensorflow.load_savedmodel, allows_bfloat16=allows_bfloat16)


def check_installed(runtime: Runtime) -> None:
    """Check that the package of a runtime is installed, without importing it.

    Raises:
        ModelStoreError: it is not; the text says how to install it, or to use the other one.
    """
    if find_spec(runtime) is not None:
        return
    others = {"tensorflow": "openvino", "openvino": "tensorflow"}
    lock = {"tensorflow": "app", "openvino": "openvino"}[runtime]
    raise ModelStoreError(
        f"DENOISER_RUNTIME={runtime}: this Python has no package {runtime}; "
        f"`pip install --require-hashes -r requirements/{lock}.txt` installs it, or set "
        f"DENOISER_RUNTIME={others[runtime]}"
    )
