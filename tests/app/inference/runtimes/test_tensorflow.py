import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from app.errors import ModelStoreError
from app.inference.runtimes.bfloat16 import AVX512_BF16, read_cpu_flags
from app.settings import MODEL_STORE
from tests.app.inference.runtimes.networks import export, loader

PHOTO = MODEL_STORE / "photo/10"
SLOW = frozenset({"avx512_bf16", "avx512_fp16"})  # instructions of a processor on which bfloat16 takes longer


def test_tensorflow_can_compute_a_call_in_one_thread() -> None:
    program = """if True:
        import tensorflow as tf
        from app.inference.runtimes.tensorflow import use_one_thread_a_call
        use_one_thread_a_call()
        print(tf.config.threading.get_intra_op_parallelism_threads())
        print(tf.config.threading.get_inter_op_parallelism_threads())
    """
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["1", "1"]


def test_where_bfloat16_is_slow_nothing_is_rounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.inference.runtimes.tensorflow.read_cpu_flags", lambda: SLOW)
    images = np.random.default_rng(0).uniform(0, 1, (1, 64, 64, 3)).astype(np.float32)
    exact, allowed = (
        loader("tensorflow", allows_bfloat16=allows)(PHOTO).denoise(images, np.array([0.1], np.float32))
        for allows in (False, True)
    )
    assert (allowed == exact).all()


@pytest.mark.skipif(AVX512_BF16 not in read_cpu_flags(), reason="TensorFlow computes in bfloat16 on few processors")
def test_rounding_to_bfloat16_changes_little_of_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.inference.runtimes.tensorflow.is_fast", lambda _flags: True)
    ramp = np.linspace(0.1, 0.6, 256)[:, np.newaxis, np.newaxis] * [1, 0.97, 0.94]
    noise = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 0.1, (256, 256, 3)), (0, 0), 1)
    images = (ramp + noise)[np.newaxis].astype(np.float32)
    exact, rounded = (
        loader("tensorflow", allows_bfloat16=allows)(PHOTO).denoise(images, np.array([0.1], np.float32)) * 255
        for allows in (False, True)
    )
    errors = rounded - exact
    assert errors.any()
    assert np.sqrt(np.square(errors).mean()) < 0.33  # 0.38 with luma and chroma rounded


class TestGrayAndColoured:
    """A network with signatures for batches of one kind, which are told apart here by what they return."""

    @staticmethod
    def export(folder: Path, *, coloured_input: str = "image") -> Path:
        import tensorflow as tf

        network = tf.Module()

        def return_constant(value: float, name: str) -> Any:  # noqa: ANN401  # TensorFlow has no types
            spec = tf.TensorSpec((None, None, None, 3), tf.float32, name=name)
            return tf.function(lambda image: {"denoised": tf.zeros_like(image) + value}, input_signature=[spec])

        names = {"serving_default": (0.1, "image"), "gray": (0.2, "image"), "coloured": (0.3, coloured_input)}
        signatures = {name: return_constant(value, taken) for name, (value, taken) in names.items()}
        tf.saved_model.save(network, str(folder), signatures=signatures)
        return folder

    def test_each_kind_of_batch_has_its_signature(self, tmp_path: Path) -> None:
        network = loader("tensorflow")(self.export(tmp_path / "1"))
        gray = np.full((1, 2, 2, 3), 0.5, np.float32)
        coloured = gray * np.array([1, 0.5, 1], np.float32)
        for images, expected in ((gray, 0.2), (coloured, 0.3), (np.concatenate([gray, coloured]), 0.1)):
            np.testing.assert_allclose(network.denoise(images), np.full_like(images, expected))

    def test_they_must_take_the_same(self, tmp_path: Path) -> None:
        with pytest.raises(ModelStoreError, match=r"coloured takes \['picture'\]"):
            loader("tensorflow")(self.export(tmp_path / "1", coloured_input="picture"))


def test_the_signatures_that_there_are_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelStoreError, match=r"only \['predict'\]"):
        loader("tensorflow")(export(tmp_path, signature="predict"))
