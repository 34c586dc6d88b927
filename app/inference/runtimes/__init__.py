"""What runs a network: one module a runtime, and the only one that imports it."""

from typing import Literal

from app.inference.denoiser import Loader


def create_loader(precision: Literal["auto", "float32"]) -> Loader:
    """Return a function that loads a version's folder, after TensorFlow was set to compute each call in one thread."""
    from app.inference.runtimes import tensorflow  # here: a caller that brings its own loader does not wait for it

    return tensorflow.create_loader(precision)
