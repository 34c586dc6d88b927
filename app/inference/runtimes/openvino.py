"""Run a SavedModel as a Denoiser; no other module of the service imports OpenVINO."""

import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import ModelStoreError
from app.imaging.samples import FloatImage
from app.inference.denoiser import NoiseLevels
from app.inference.runtimes.bfloat16 import AMX, is_fast, is_noisy, read_cpu_flags
from app.inference.runtimes.signature import SIGNATURE, check_signature
from app.malloc import give_back_freed_memory

# What all networks share of compiled kernels; by default 1,024, with which 130 sizes took 100 MB more for nothing.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
# OpenVINO's tools report each import to Google Analytics; OpenVINO does without them if they cannot be imported.
sys.modules.setdefault("openvino.tools.ovc", None)  # type: ignore[arg-type]  # what makes an import fail
import openvino as ov  # noqa: E402

SIGNATURE_KEY = b"\x0a\x0fserving_default\x12"  # in saved_model.pb, as the key of a map in a protocol buffer
FLOAT32, BFLOAT16 = "f32", "bf16"
MIN_ROUNDED_PIXELS = 2**16  # of smaller images, the rounded network, 45 MB more for ``photo``, would save milliseconds
IDLE_S = 1.0  # after so long without a call, memory for intermediate results is returned

logger = logging.getLogger(__name__)


class SavedModelDenoiser:
    """Runs the signature ``serving_default``: ``image`` and perhaps ``noise_level`` in, ``denoised`` out."""

    def __init__(self, usual: "_Copies", make_rounding: "Callable[[], _Copies] | None") -> None:
        """Take the network as it is usually run, and, if that differs, what makes it as it is run on noisy images."""
        self._usual = usual
        self._make_rounding = make_rounding
        self._rounding: _Copies | None = None
        self._lock = threading.Lock()

    def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
        """Run the network on this thread; see Denoiser.denoise."""
        is_large = images.shape[1] * images.shape[2] >= MIN_ROUNDED_PIXELS
        copies = self._find_rounding() if is_large and is_noisy(noise_levels) else self._usual
        return copies.denoise(images, noise_levels)

    def _find_rounding(self) -> "_Copies":
        """Return the network as it is run on noisy images, which is compiled when it is first needed."""
        with self._lock:
            make, self._make_rounding = self._make_rounding, None
            if make is not None:
                try:
                    self._rounding = make()
                except Exception:  # OpenVINO may raise anything
                    logger.warning("no network was made that computes in bfloat16", exc_info=True)
        return self._rounding or self._usual


def load_savedmodel(folder: Path, *, allows_bfloat16: bool = False, threads: int = 1) -> SavedModelDenoiser:
    """Load one version.

    Args:
        folder: of the version.
        allows_bfloat16: lets networks of any size compute large noisy images in bfloat16, on processors that are
            fast at it, and those of a fixed size that take no noise level all images, on processors with AMX;
            docs/settings.md has the error.
        threads: calls of a network of any size that run at once; further ones wait.

    Raises:
        ModelStoreError: OpenVINO cannot load it, or its signature does not meet the contract.
    """
    core = _make_core()
    try:
        model = core.read_model(str(folder))
        has_signature = SIGNATURE_KEY in (folder / "saved_model.pb").read_bytes()
    except Exception as error:  # OpenVINO may raise anything for a damaged file
        raise ModelStoreError(f"{folder}: OpenVINO cannot load it: {error}") from error
    if not has_signature:  # OpenVINO would take another one
        raise ModelStoreError(f"{folder}: no signature {SIGNATURE}")
    inputs = {name for tensor in model.inputs for name in tensor.get_names()}
    outputs = {name for tensor in model.outputs for name in tensor.get_names()}
    check_signature(folder, SIGNATURE, inputs=inputs, outputs=outputs)
    is_free = model.input("image").partial_shape[1].is_dynamic
    flags = read_cpu_flags()
    rounds = allows_bfloat16 and (is_fast(flags) if is_free else AMX in flags)
    takes_level = "noise_level" in inputs
    usual = BFLOAT16 if rounds and not is_free and not takes_level else FLOAT32
    try:
        return SavedModelDenoiser(
            _Copies(core, model, precision=usual, threads=threads, is_free=is_free),
            partial(_Copies, core, model, precision=BFLOAT16, threads=threads, is_free=is_free)
            if rounds and takes_level
            else None,
        )
    except Exception as error:  # likewise
        raise ModelStoreError(f"{folder}: OpenVINO cannot load it: {error}") from error


@cache
def _make_core() -> Any:  # noqa: ANN401  # OpenVINO has no types
    """Return the core of this process, which is never freed.

    OpenVINO gives the thread that first compiles a stack for signal handlers. If the core were freed on another thread,
    that stack would be unmapped but stay set, and the next signal would end the process.
    """
    core = ov.Core()
    core.set_property({"ENABLE_MMAP": False})  # or a weight file that is cut short later would end the process
    return core


class _Copies:
    """A compiled network, as often as it may be called at once.

    With a single stream, OpenVINO computes on the thread that calls, but one call after another; with several, it would
    compute on threads of its own. The second copy and further ones are made when they are first needed: each takes
    23 MB for ``photo``, and a twentieth of a second.
    """

    def __init__(self, core: Any, model: Any, *, precision: str, threads: int, is_free: bool) -> None:  # noqa: ANN401  # OpenVINO has no types
        self._core = core
        self._properties = {
            "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": 1,
            "INFERENCE_PRECISION_HINT": precision,
            "ENABLE_CPU_PINNING": False,  # or the workers would share a core
        }
        if is_free:  # kernels are kept by shape, and no bound counts their bytes: over 600 sizes they grew to 1 GB
            self._properties["CPU_RUNTIME_CACHE_CAPACITY"] = 0
        self._compiled = core.compile_model(model, "CPU", self._properties)
        self._smallest = {
            tensor.get_any_name(): [side.get_length() if side.is_static else 1 for side in tensor.partial_shape]
            for tensor in model.inputs
        }
        self._free: queue.LifoQueue[Any] = queue.LifoQueue()  # the last one used has its memory at hand
        request = self._compiled.create_infer_request()
        self._infer_smallest(request)  # prepares what it needs, so that no client pays for it
        self._free.put(request)
        self._missing = threads - 1 if is_free else 0
        self._keeps_memory = not is_free  # of one small size, there is little of it
        self._lock = threading.Lock()
        self._is_watched = self._was_called = self._is_resting = False

    def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None) -> FloatImage:
        inputs = {"image": _require_own(images)}
        if noise_levels is not None:
            inputs["noise_level"] = _require_own(noise_levels)
        request = self._take()
        try:
            for name, array in inputs.items():
                request.set_tensor(name, ov.Tensor(array, shared_memory=True))
            request.infer()
            denoised: FloatImage = request.get_tensor("denoised").data.copy()  # the next call writes into the tensor
        finally:
            self._free.put(request)
        if not self._keeps_memory:
            self._watch()
        return denoised

    def _take(self) -> Any:  # noqa: ANN401  # OpenVINO has no types
        """Return a copy that is free, or a new one if there may be more, or wait."""
        with self._lock:
            try:
                return self._free.get_nowait()
            except queue.Empty:
                makes_one = self._missing > 0 and not self._is_resting
                self._missing -= makes_one
        if makes_one:
            try:  # in a third of the time of compiling
                copy = self._core.import_model(self._compiled.export_model(), "CPU", self._properties)
                return copy.create_infer_request()
            except Exception:  # OpenVINO may raise anything
                logger.exception("no further copy of a network could be made; calls wait for the others")
        return self._free.get()

    def _infer_smallest(self, request: Any) -> None:  # noqa: ANN401  # OpenVINO has no types
        for name, shape in self._smallest.items():
            request.set_tensor(name, ov.Tensor(np.zeros(shape, np.float32)))
        request.infer()

    def _watch(self) -> None:
        with self._lock:
            self._was_called = True
            if not self._is_watched:
                self._is_watched = True
                threading.Thread(target=self._release_when_idle, name="release", daemon=True).start()

    def _release_when_idle(self) -> None:
        """Return memory as soon as there was no call for a while.

        Between calls, each copy keeps what the largest call needed, 170 bytes a pixel and more. Returning it after each
        call would make the next one slower by a third.
        """
        while True:
            time.sleep(IDLE_S)
            with self._lock:
                self._is_watched, self._was_called = self._was_called, False
                self._is_resting = not self._is_watched
                if self._is_resting:
                    break
        idle = []
        while not self._free.empty():
            try:
                idle.append(self._free.get_nowait())
            except queue.Empty:
                break
        for request in idle:
            try:
                self._infer_smallest(request)  # lets go of the last images
                request.get_compiled_model().release_memory()
            except Exception:  # OpenVINO may raise anything
                logger.exception("memory of a network was not returned")
            finally:
                self._free.put(request)
        with self._lock:
            self._is_resting = False
        give_back_freed_memory()


def _require_own(array: NoiseLevels | FloatImage) -> NDArray[np.float32]:
    """Return what OpenVINO reads without a copy, or a copy: pixels of a file or of a request are read-only."""
    return np.require(array, np.float32, ("C", "A", "W"))
