"""The runtimes that run networks, each imported by a module of its own and nowhere else."""

from functools import partial
from typing import Literal

from app.inference.denoiser import Loader


def create_loader(precision: Literal["auto", "float32"]) -> Loader:
    """Return a function that loads the folder of a version; TensorFlow then computes each call in one thread."""
    from app.inference.runtimes import tensorflow  # here: callers with their own loader do not need it

    tensorflow.use_one_thread_a_call()
    return partial(tensorflow.load_savedmodel, allows_bfloat16=precision == "auto")
