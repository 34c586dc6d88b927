import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errors import ModelStoreError
from app.imaging.samples import FloatImage
from app.inference.denoiser import Denoiser

GAIN, OFFSET = 0.5, 0.25


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


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(tmp_path_factory.mktemp("saved_model"))


def load(folder: Path) -> Denoiser:
    from app.inference.runtimes.tensorflow import load_savedmodel

    return load_savedmodel(folder)


def test_a_batch_goes_through_the_network(exported: Path) -> None:
    images = np.random.default_rng(0).uniform(0, 1, (3, 5, 4)).astype(np.float32)
    denoised = load(exported).denoise(images)
    assert denoised.dtype == np.float32
    np.testing.assert_allclose(denoised, GAIN * images + OFFSET, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 28, 28), (1, 1, 300)], ids=str)
def test_images_may_have_any_number_and_size(exported: Path, shape: tuple[int, int, int]) -> None:
    assert load(exported).denoise(np.zeros(shape, np.float32)).shape == shape


def test_noise_outside_the_nominal_range_reaches_the_network(exported: Path) -> None:
    images = np.array([[[-0.4, 1.4, 9]]], np.float32)
    np.testing.assert_allclose(load(exported).denoise(images), [[[0.05, 0.95, 1]]], atol=1e-6)


def test_a_view_that_is_not_contiguous_is_accepted(exported: Path) -> None:
    images: FloatImage = (np.arange(24, dtype=np.float32) / np.float32(24)).reshape(2, 3, 4).transpose(0, 2, 1)
    assert not images.flags.c_contiguous
    np.testing.assert_allclose(load(exported).denoise(images), GAIN * images + OFFSET, atol=1e-6)


def test_others_still_answer_after_a_network_is_let_go(exported: Path) -> None:
    images = np.zeros((1, 2, 2, 1), np.float32)
    kept, gone = load(exported), load(exported)
    expected = kept.denoise(images)
    gone.denoise(images)
    last = weakref.ref(gone)
    del gone
    assert last() is None  # it is in no cycle: what it has prepared goes at once
    assert (kept.denoise(images) == expected).all()


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


class TestNoiseLevels:
    """A network that takes a noise level and adds it to every pixel."""

    @staticmethod
    def export(folder: Path, *, level_first: bool) -> Path:
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

    @pytest.mark.parametrize("level_first", [False, True])
    def test_each_image_gets_its_own(self, tmp_path: Path, *, level_first: bool) -> None:
        network = load(self.export(tmp_path / "1", level_first=level_first))
        denoised = network.denoise(np.full((2, 3, 4, 1), 0.5, np.float32), np.array([0.1, 0.2], np.float32))
        np.testing.assert_allclose(denoised[:, 0, 0, 0], [0.6, 0.7], atol=1e-6)


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
        network = load(self.export(tmp_path / "1"))
        gray = np.full((1, 2, 2, 3), 0.5, np.float32)
        coloured = gray * np.array([1, 0.5, 1], np.float32)
        for images, expected in ((gray, 0.2), (coloured, 0.3), (np.concatenate([gray, coloured]), 0.1)):
            np.testing.assert_allclose(network.denoise(images), np.full_like(images, expected))

    def test_they_must_take_the_same(self, tmp_path: Path) -> None:
        with pytest.raises(ModelStoreError, match=r"coloured takes \['picture'\]"):
            load(self.export(tmp_path / "1", coloured_input="picture"))


class TestPrecision:
    def test_rounding_to_bfloat16_changes_little(self, exported: Path) -> None:
        from app.inference.runtimes.tensorflow import load_savedmodel

        images = np.random.default_rng(0).uniform(0, 1, (1, 40, 50)).astype(np.float32)
        rounded = load_savedmodel(exported, allows_bfloat16=True).denoise(images)
        assert rounded.dtype == np.float32
        np.testing.assert_allclose(rounded, load(exported).denoise(images), atol=0.01)


class TestRefusals:
    def test_a_folder_without_a_network_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ModelStoreError, match="TensorFlow cannot load it") as refusal:
            load(tmp_path)
        assert str(refusal.value).startswith(str(tmp_path))

    def test_a_damaged_network_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "saved_model.pb").write_bytes(b"no protocol buffer")
        with pytest.raises(ModelStoreError, match="TensorFlow cannot load it") as refusal:
            load(tmp_path)
        assert str(refusal.value).startswith(str(tmp_path))

    @pytest.mark.parametrize(
        ("wrong", "text"),
        [
            ({"signature": "predict"}, r"no signature serving_default, only \['predict'\]"),
            ({"inputs": "picture"}, r"serving_default takes \['picture'\] and returns \['denoised'\]"),
            ({"outputs": "clean"}, r"serving_default takes \['image'\] and returns \['clean'\]"),
        ],
        ids=["signature", "input", "output"],
    )
    def test_another_signature_is_refused_and_described(self, tmp_path: Path, wrong: dict[str, str], text: str) -> None:
        with pytest.raises(ModelStoreError, match=text) as refusal:
            load(export(tmp_path, **wrong))
        assert str(refusal.value).startswith(str(tmp_path))
