"""Tiny networks, exported as SavedModels, and functions that load them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from app.inference.denoiser import Denoiser

Load = Callable[..., Denoiser]  # takes a folder, and perhaps allows_bfloat16

GAIN, OFFSET = 0.5, 0.25
NAMES = ("tensorflow", "openvino")


def loader(runtime: str, **options: Any) -> Load:  # noqa: ANN401  # mixed types
    """Return how a runtime loads a folder; it is imported here, so that other tests do not wait for it."""
    if runtime == "openvino":
        from app.inference.runtimes import openvino

        return partial(openvino.load_savedmodel, **options)
    from app.inference.runtimes import tensorflow

    return partial(tensorflow.load_savedmodel, **options)


def export(
    folder: Path, *, signature: str = "serving_default", inputs: str = "image", outputs: str = "denoised"
) -> Path:
    """Export a network of two variables, which clips GAIN times its input plus OFFSET."""
    import tensorflow as tf  # here and below, so that other tests do not wait for it

    network = tf.Module()
    network.gain = tf.Variable(GAIN)
    network.offset = tf.Variable(OFFSET)

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 1), tf.float32, name=inputs)])  # type: ignore[untyped-decorator]
    def call(image: Any) -> dict[str, Any]:  # noqa: ANN401  # TensorFlow has no types
        return {outputs: tf.clip_by_value(network.gain * image + network.offset, 0.0, 1.0)}

    network.call = call
    tf.saved_model.save(network, str(folder), signatures={signature: call})
    return folder


def export_with_level(folder: Path, *, level_first: bool) -> Path:
    """Export a network that adds the noise level to every pixel."""
    import tensorflow as tf

    specs = {
        "image": tf.TensorSpec((None, None, None, 1), tf.float32, name="image"),
        "noise_level": tf.TensorSpec((None,), tf.float32, name="noise_level"),
    }
    network = tf.Module()

    def call(image: Any, noise_level: Any) -> dict[str, Any]:  # noqa: ANN401  # TensorFlow has no types
        return {"denoised": image + noise_level[:, None, None, None]}

    def reversed_call(noise_level: Any, image: Any) -> dict[str, Any]:  # noqa: ANN401  # likewise
        return call(image, noise_level)

    names = ["noise_level", "image"] if level_first else ["image", "noise_level"]
    function = tf.function(reversed_call if level_first else call, input_signature=[specs[name] for name in names])
    tf.saved_model.save(network, str(folder), signatures={"serving_default": function})
    return folder
