import subprocess
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from app.inference.denoiser import Denoiser
from app.inference.runtimes import openvino
from app.inference.runtimes.bfloat16 import MIN_ROUNDED_LEVEL
from app.settings import MODEL_STORE
from tests.app.inference.runtimes.networks import loader

DIGITS, PHOTO = MODEL_STORE / "digits/2", MODEL_STORE / "photo/10"


def run(program: str) -> str:
    """Run a program in a process that has imported nothing yet."""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


def test_nothing_that_reports_its_use_is_imported() -> None:
    modules = run("import sys, app.inference.runtimes.openvino; print(*sys.modules, sep='\\n')").split()
    assert "openvino" in modules
    assert not [name for name in modules if "telemetry" in name and not name.startswith("app.")]
    assert not [name for name in modules if name.startswith("openvino.tools.ovc.")]


def test_a_call_is_computed_on_the_thread_that_makes_it() -> None:
    program = f"""if True:
        import os, time
        from pathlib import Path
        import numpy as np
        from app.inference.runtimes.openvino import load_savedmodel
        network = load_savedmodel(Path({str(PHOTO)!r}), threads=2)
        image = np.zeros((1, 200, 200, 3), np.float32)
        started, own = time.process_time(), time.thread_time()
        for _ in range(3):
            network.denoise(image, np.zeros(1, np.float32))
        print((time.thread_time() - own) / (time.process_time() - started))
    """
    assert float(run(program)) > 0.8


class CountingCore:
    """OpenVINO's core; counts the copies of networks that are made, or cannot make any."""

    def __init__(self, *, fails: bool = False) -> None:
        self._core = openvino._make_core()
        self._fails = fails
        self.copies = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._core, name)

    def import_model(self, *arguments: object) -> object:
        self.copies += 1
        if self._fails:
            raise RuntimeError("no memory")
        return self._core.import_model(*arguments)


@pytest.mark.parametrize("fails", [False, True], ids=["enough memory", "too little"])
def test_copies_are_made_when_calls_at_once_need_them(fails: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    core = CountingCore(fails=fails)
    monkeypatch.setattr(openvino, "_make_core", lambda: core)
    network = loader("openvino", threads=3)(PHOTO)
    images = np.random.default_rng(0).uniform(0, 1, (12, 1, 200, 200, 3)).astype(np.float32)
    levels = np.full(1, 0.1, np.float32)
    alone = [network.denoise(image, levels) for image in images]
    assert core.copies == 0
    start = threading.Barrier(4)  # one call more than may run at once

    def denoise(first: int) -> list[np.ndarray]:
        start.wait()
        return [network.denoise(image, levels) for image in images[first::4]]

    with ThreadPoolExecutor(4) as pool:
        for first, denoised in enumerate(pool.map(denoise, range(4))):
            np.testing.assert_array_equal(denoised, alone[first::4])
    assert core.copies == 2


def test_a_signal_is_handled_after_a_network_was_freed_on_another_thread() -> None:
    program = f"""if True:
        import signal, threading
        from pathlib import Path
        from app.inference.runtimes.openvino import load_savedmodel
        networks = [load_savedmodel(Path({str(DIGITS)!r}))]
        thread = threading.Thread(target=networks.clear)
        thread.start()
        thread.join()
        signal.signal(signal.SIGTERM, lambda *_: print("handled"))
        signal.raise_signal(signal.SIGTERM)
    """
    assert run(program) == "handled\n"


@pytest.mark.parametrize("folder", [DIGITS, PHOTO], ids=["fixed", "free"])
def test_bfloat16_is_close_and_only_where_it_is_allowed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denoise(network: Denoiser, level: float) -> np.ndarray:
        shape = (1, 28, 28, 1) if folder == DIGITS else (1, 256, 256, 3)
        images = np.random.default_rng(0).uniform(0, 1, shape).astype(np.float32)
        return network.denoise(images, None if folder == DIGITS else np.full(1, level, np.float32))

    exact = loader("openvino")(folder)
    monkeypatch.setattr(openvino, "read_cpu_flags", lambda: frozenset({"amx_bf16"}))
    rounded = loader("openvino", allows_bfloat16=True)(folder)
    monkeypatch.setattr(openvino, "read_cpu_flags", lambda: frozenset({"avx512_bf16", "avx512_fp16"}))
    without = loader("openvino", allows_bfloat16=True)(folder)
    for level in (0.0, MIN_ROUNDED_LEVEL):
        expected = denoise(exact, level)
        np.testing.assert_allclose(denoise(rounded, level), expected, rtol=0, atol=0.05)
        assert (denoise(without, level) == expected).all()
    if folder == PHOTO:  # with little noise, it is not allowed
        assert isinstance(rounded, openvino.SavedModelDenoiser)
        assert rounded._rounding is not None
        assert (denoise(rounded, 0.0) == denoise(exact, 0.0)).all()


class FailingFactory:
    """Makes no network, and counts how often it is asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> openvino._Copies:
        self.calls += 1
        raise RuntimeError("no memory")


def test_a_network_for_bfloat16_is_made_for_the_first_large_noisy_image() -> None:
    network = loader("openvino")(PHOTO)
    assert isinstance(network, openvino.SavedModelDenoiser)
    make = FailingFactory()
    network._make_rounding = make
    noisy, faint = (np.full(1, level, np.float32) for level in (MIN_ROUNDED_LEVEL, 0))
    small, large = (np.zeros((count, side, side, 3), np.float32) for count, side in ((4, 128), (1, 256)))
    network.denoise(small, np.repeat(noisy, 4))
    network.denoise(large, faint)
    assert make.calls == 0
    for _ in range(2):  # where it cannot be made, that for float32 does its work
        assert network.denoise(large, noisy).shape == large.shape
    assert make.calls == 1


def test_memory_is_returned_after_the_last_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino, "IDLE_S", 0.01)
    network = loader("openvino", threads=2)(PHOTO)
    images = np.random.default_rng(0).uniform(0, 1, (1, 600, 800, 3)).astype(np.float32)
    levels = np.zeros(1, np.float32)
    before = resident_bytes()
    first = network.denoise(images, levels)
    for thread in threading.enumerate():
        if thread.name == "release":
            thread.join()
    assert resident_bytes() - before < 20 * images.nbytes
    assert (network.denoise(images, levels) == first).all()


def test_nor_are_the_last_images_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino, "IDLE_S", 0.01)
    network = loader("openvino")(PHOTO)
    images = np.zeros((1, 40, 40, 3), np.float32)
    kept = weakref.ref(images)
    network.denoise(images, np.zeros(1, np.float32))
    del images
    for thread in threading.enumerate():
        if thread.name == "release":
            thread.join()
    assert kept() is None


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
