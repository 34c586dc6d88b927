import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from training.__main__ import main
from training.config import Interface, NoiseLevelRange
from training.errors import StoreError
from training.store.describe import describe
from training.store.metadata import read_metadata
from training.store.versions import hash_files

ANY_SIZE = tf.TensorSpec((None, None, None, 1), tf.float32, name="image")
FIXED_SIZE = tf.TensorSpec((None, 20, 30, 1), tf.float32, name="image")
NOISE_LEVEL = tf.TensorSpec((None,), tf.float32, name="noise_level")


def save_model(
    store: Path,
    denoise: Callable[..., tf.Tensor],
    *specs: tf.TensorSpec,
    output: str = "denoised",
    signature: str = "serving_default",
) -> Path:
    function = tf.function(lambda *inputs: {output: denoise(*inputs)}, input_signature=specs)
    folder = store / "foreign" / "3"
    tf.saved_model.save(tf.Module(), str(folder), signatures={signature: function})
    return folder


def clip(image: tf.Tensor) -> tf.Tensor:
    return tf.clip_by_value(image, 0.0, 1.0)


def clip_less(image: tf.Tensor, noise_level: tf.Tensor) -> tf.Tensor:
    return clip(image - noise_level[:, None, None, None])


def describe_plainly(folder: Path, *, overwrite: bool = False) -> dict[str, Any]:
    describe(folder, description="", interface=Interface(), overwrite=overwrite)
    return read_metadata(folder)


def test_a_network_of_any_size_is_described(tmp_path: Path) -> None:
    folder = save_model(tmp_path, clip, ANY_SIZE)
    metadata = describe_plainly(folder)
    assert (metadata["name"], metadata["version"]) == ("foreign", 3)
    assert metadata["input"] == {"height": None, "width": None, "channels": 1, "polarity": None}
    assert metadata["noise_level"] is None
    assert metadata["files"] == hash_files(folder)


def test_a_network_for_colour_is_described(tmp_path: Path) -> None:
    folder = save_model(tmp_path, clip, tf.TensorSpec((None, None, None, 3), tf.float32, name="image"))
    assert describe_plainly(folder)["input"] == {"height": None, "width": None, "channels": 3, "polarity": None}


def test_the_command_takes_what_the_graph_does_not_tell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = save_model(tmp_path, clip_less, FIXED_SIZE, NOISE_LEVEL)
    words = ["--polarity", "dark-on-light", "--description", "Less", "--noise-level", "0.1", "0.2"]
    words += ["--size-multiple", "4", "--halo-px", "7"]
    assert main(["describe", str(folder), *words]) == 0
    assert str(folder / "metadata.json") in capsys.readouterr().out
    metadata = read_metadata(folder)
    assert metadata["description"] == "Less"
    assert metadata["input"] == {"height": 20, "width": 30, "channels": 1, "polarity": "dark-on-light"}
    assert metadata["noise_level"] == {"min": 0.1, "max": 0.2}
    assert (metadata["size_multiple"], metadata["halo_px"]) == (4, 7)


def test_a_noise_level_has_a_range_unless_one_is_given(tmp_path: Path) -> None:
    metadata = describe_plainly(save_model(tmp_path, clip_less, ANY_SIZE, NOISE_LEVEL))
    assert metadata["noise_level"] == {"min": 0.0, "max": pytest.approx(75 / 255)}


def test_a_range_counts_only_for_networks_with_a_noise_level(tmp_path: Path) -> None:
    folder = save_model(tmp_path, clip, ANY_SIZE)
    describe(folder, description="", interface=Interface(noise_level=NoiseLevelRange(0, 1)))
    assert read_metadata(folder)["noise_level"] is None


def test_what_is_described_is_kept_unless_asked(tmp_path: Path) -> None:
    folder = save_model(tmp_path, clip, ANY_SIZE)
    describe_plainly(folder)
    with pytest.raises(StoreError, match="exists; --overwrite"):
        describe_plainly(folder)
    describe_plainly(folder, overwrite=True)


@pytest.mark.parametrize(
    ("denoise", "specs", "options", "message"),
    [
        (clip, [ANY_SIZE], {"signature": "other"}, "no signature serving_default, only ['other']"),
        (clip, [tf.TensorSpec((None, 8, 8, 1), name="x")], {}, "inputs ['x'], expected image"),
        (clip, [ANY_SIZE], {"output": "y"}, "outputs ['y'], expected denoised"),
        (tf.identity, [tf.TensorSpec((None, 8, 8, 1), tf.float64, "image")], {}, "image is float64, expected float32"),
        (clip, [tf.TensorSpec((None, 8, 8, 2), name="image")], {}, "image has the shape (None, 8, 8, 2)"),
        (clip, [tf.TensorSpec((1, 8, 8, 1), name="image")], {}, "image has the shape (1, 8, 8, 1)"),
        (clip, [tf.TensorSpec((None, 8, None, 1), name="image")], {}, "image has the shape (None, 8, None, 1)"),
        (clip, [tf.TensorSpec(None, name="image")], {}, "image has the shape None"),
        (
            lambda image, level: clip(image - level),
            [ANY_SIZE, tf.TensorSpec((), name="noise_level")],
            {},
            "noise_level has the shape (), expected (None,)",
        ),
        (lambda image: clip(tf.repeat(image, 2, axis=2)), [ANY_SIZE], {}, "denoised has the shape (3, 1, 2, 1)"),
        (tf.identity, [ANY_SIZE], {}, "denoised goes from -0."),
        (lambda image: image / 0.0 * 0.0, [ANY_SIZE], {}, "denoised goes from nan"),
        (lambda image: tf.reshape(image, (-1, 2, 2, 1)), [ANY_SIZE], {}, "fails for images of shape (3, 1, 1, 1)"),
    ],
    ids=[
        "signature",
        "input name",
        "output name",
        "type",
        "channels",
        "batch size",
        "half free",
        "rank",
        "noise level",
        "output shape",
        "range",
        "not finite",
        "refusal",
    ],
)
def test_a_savedmodel_that_breaks_the_contract_is_refused(
    tmp_path: Path, denoise: Callable[..., tf.Tensor], specs: list[tf.TensorSpec], options: dict[str, str], message: str
) -> None:
    folder = save_model(tmp_path, denoise, *specs, **options)
    with pytest.raises(StoreError, match=re.escape(message)):
        describe_plainly(folder)
    assert not (folder / "metadata.json").exists()


def test_a_folder_without_a_savedmodel_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no saved_model\.pb"):
        describe_plainly(tmp_path)


@pytest.mark.parametrize("place", ["foreign/latest", "foreign/01", "foreign/0", "-/1"])
def test_a_folder_that_is_not_name_and_version_is_refused(tmp_path: Path, place: str) -> None:
    folder = tmp_path / place
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"")
    with pytest.raises(StoreError, match="expected STORE/NAME/VERSION"):
        describe_plainly(folder)


def test_the_example_of_the_readme_meets_the_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = (Path(__file__).parents[3] / "model_store" / "README.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    (command,) = re.findall(r"```sh\npython -m training (.*?)\n```", readme)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102  the README's own code
    name, folder, option, text = command.split(maxsplit=3)
    assert main([name, folder, option, text.strip('"')]) == 0
    assert read_metadata(Path(folder))["description"] == "Mean of 3x3 pixels"
