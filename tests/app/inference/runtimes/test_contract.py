"""What every runtime does with a SavedModel, and that all do the same."""

import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from app.errors import ModelStoreError
from app.imaging.samples import FloatImage
from app.inference import runtimes
from app.inference.metadata import read_metadata
from app.inference.runtimes import Runtime, create_loader
from app.inference.runtimes.bfloat16 import MIN_ROUNDED_LEVEL
from app.settings import MODEL_STORE
from tests.app.inference.runtimes.networks import GAIN, NAMES, OFFSET, Load, export, export_with_level, loader

STORE = [folder.parent for folder in sorted(MODEL_STORE.glob("*/*/metadata.json"))]
SIZES = [(1, 1, 1), (1, 2, 3), (3, 28, 28), (1, 61, 47), (2, 64, 65)]


def test_a_batch_goes_through_the_network(exported: Path, load: Load) -> None:
    images = np.random.default_rng(0).uniform(0, 1, (3, 5, 4, 1)).astype(np.float32)
    denoised = load(exported).denoise(images)
    assert denoised.dtype == np.float32
    np.testing.assert_allclose(denoised, GAIN * images + OFFSET, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 28, 28, 1), (1, 1, 300, 1)], ids=str)
def test_images_may_have_any_number_and_size(exported: Path, load: Load, shape: tuple[int, ...]) -> None:
    assert load(exported).denoise(np.zeros(shape, np.float32)).shape == shape


def test_noise_outside_the_nominal_range_reaches_the_network(exported: Path, load: Load) -> None:
    images = np.array([-0.4, 1.4, 9], np.float32).reshape(1, 1, 3, 1)
    np.testing.assert_allclose(load(exported).denoise(images).ravel(), [0.05, 0.95, 1], atol=1e-6)


def test_a_view_that_is_not_contiguous_is_accepted(exported: Path, load: Load) -> None:
    images: FloatImage = (np.arange(24, dtype=np.float32) / np.float32(24)).reshape(2, 3, 4, 1).transpose(0, 2, 1, 3)
    assert not images.flags.c_contiguous
    np.testing.assert_allclose(load(exported).denoise(images), GAIN * images + OFFSET, atol=1e-6)


@pytest.mark.parametrize("offset", [0, 1], ids=["aligned", "not aligned"])
def test_bytes_of_a_request_are_accepted(exported: Path, load: Load, offset: int) -> None:
    values = np.arange(24, dtype=np.float32) / np.float32(24)
    data = bytes(offset) + values.tobytes()
    images = np.frombuffer(memoryview(data)[offset:], "<f4").reshape(1, 6, 4, 1)
    assert not images.flags.writeable
    np.testing.assert_allclose(load(exported).denoise(images).ravel(), GAIN * values + OFFSET, atol=1e-6)


def test_a_result_stays_as_it_is_when_others_follow(exported: Path, load: Load) -> None:
    network = load(exported)
    first = network.denoise(np.zeros((1, 2, 2, 1), np.float32))
    network.denoise(np.ones((1, 2, 2, 1), np.float32))
    assert (first == OFFSET).all()


def test_threads_that_call_at_once_get_their_own_results(exported: Path, load: Load) -> None:
    network = load(exported)
    values = [number / 40 for number in range(40)]

    def denoise(value: float) -> float:
        return float(network.denoise(np.full((1, 50, 50, 1), value, np.float32)).mean())

    with ThreadPoolExecutor(4) as pool:
        np.testing.assert_allclose(
            list(pool.map(denoise, values)), [GAIN * value + OFFSET for value in values], atol=1e-6
        )


def test_others_still_answer_after_a_network_is_let_go(exported: Path, load: Load) -> None:
    images = np.zeros((1, 2, 2, 1), np.float32)
    kept, gone = load(exported), load(exported)
    expected = kept.denoise(images)
    gone.denoise(images)
    last = weakref.ref(gone)
    del gone
    assert last() is None  # it is in no cycle: what it has prepared goes at once
    assert (kept.denoise(images) == expected).all()


@pytest.mark.parametrize("level_first", [False, True])
def test_each_image_gets_its_own_noise_level(tmp_path: Path, load: Load, *, level_first: bool) -> None:
    network = load(export_with_level(tmp_path / "1", level_first=level_first))
    denoised = network.denoise(np.full((2, 3, 4, 1), 0.5, np.float32), np.array([0.1, 0.2], np.float32))
    np.testing.assert_allclose(denoised[:, 0, 0, 0], [0.6, 0.7], atol=1e-6)


@pytest.mark.parametrize("folder", STORE, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_runtimes_agree_on_the_networks_of_the_store(folder: Path) -> None:
    metadata = read_metadata(folder)
    fixed = metadata.input.size
    shapes = [(count, *fixed) for count in (1, 7, 64)] if fixed else SIZES
    tensorflow, openvino = (loader(name)(folder) for name in NAMES)
    random = np.random.default_rng(0)
    for shape, level in product(shapes, (0, MIN_ROUNDED_LEVEL, 0.25) if metadata.noise_level else (None,)):
        images = random.uniform(-0.2, 1.2, (*shape, metadata.input.channels)).astype(np.float32)
        images[1:] = images[1:, ..., :1]  # of networks for colour, all but the first are gray
        levels = None if level is None else np.full(len(images), level, np.float32)
        np.testing.assert_allclose(
            openvino.denoise(images, levels), tensorflow.denoise(images, levels), rtol=0, atol=0.001
        )


class TestInstallation:
    @pytest.mark.parametrize("runtime", NAMES)
    def test_the_other_runtime_is_not_imported(self, runtime: Runtime) -> None:
        program = f"""if True:
            import sys
            from pathlib import Path
            import numpy as np
            other = {(set(NAMES) - {runtime}).pop()!r}
            sys.modules[other] = None  # an import of it fails
            from app.inference.runtimes import create_loader
            network = create_loader({runtime!r}, precision="auto", threads=1)(Path({str(STORE[0])!r}))
            print(network.denoise(np.zeros((1, 28, 28, 1), np.float32)).shape)
        """
        ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert ended.stdout == "(1, 28, 28, 1)\n"

    @pytest.mark.parametrize(("runtime", "lock"), [("tensorflow", "app.txt"), ("openvino", "openvino.txt")])
    def test_one_that_is_missing_is_named_with_what_to_do(
        self, runtime: Runtime, lock: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(runtimes, "find_spec", lambda _name: None)
        with pytest.raises(ModelStoreError, match=rf"DENOISER_RUNTIME={runtime}: .*requirements/{lock}.* or set"):
            create_loader(runtime, precision="auto", threads=1)


class TestRefusals:
    def test_a_folder_without_a_network_is_named(self, tmp_path: Path, load: Load) -> None:
        with pytest.raises(ModelStoreError, match=r"(TensorFlow|OpenVINO) cannot load it") as refusal:
            load(tmp_path)
        assert str(refusal.value).startswith(str(tmp_path))

    def test_a_damaged_network_is_named(self, tmp_path: Path, load: Load) -> None:
        (tmp_path / "saved_model.pb").write_bytes(b"no protocol buffer")
        with pytest.raises(ModelStoreError, match=r"(TensorFlow|OpenVINO) cannot load it") as refusal:
            load(tmp_path)
        assert str(refusal.value).startswith(str(tmp_path))

    @pytest.mark.parametrize(
        ("wrong", "text"),
        [
            ({"signature": "predict"}, "no signature serving_default"),
            ({"inputs": "picture"}, r"serving_default takes \['picture'\] and returns \['denoised'\]"),
            ({"outputs": "clean"}, r"serving_default takes \['image'\] and returns \['clean'\]"),
        ],
        ids=["signature", "input", "output"],
    )
    def test_another_signature_is_refused_and_described(
        self, tmp_path: Path, load: Load, wrong: dict[str, str], text: str
    ) -> None:
        with pytest.raises(ModelStoreError, match=text) as refusal:
            load(export(tmp_path, **wrong))
        assert str(refusal.value).startswith(str(tmp_path))
