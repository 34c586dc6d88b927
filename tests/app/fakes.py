"""Denoisers that stand in for networks, and stores that hold no real networks."""

import json
import threading
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from app.imaging.decode import DecodedImage, decode_image, open_image
from app.imaging.samples import FloatImage
from app.inference.batching import EAGER_BATCH
from app.inference.denoiser import NoiseLevels
from app.inference.loop_calls import MAX_LOOP_CALL_S
from app.inference.metadata import ModelMetadata
from app.processing.options import Choice, Options
from app.processing.pixel_budget import Reserve


class InProcessDecoder:
    """Decodes in this process, and counts what it decoded."""

    def __init__(self, max_pixels: int = 40_000_000) -> None:
        self.max_pixels = max_pixels
        self.count = 0

    async def decode(self, data: bytes, *, choice: Choice, reserve: Reserve) -> tuple[DecodedImage, Options]:
        self.count += 1
        opened = open_image(data, max_pixels=self.max_pixels)
        options = choice.for_size(opened.size)
        await reserve(opened.pixels)
        return decode_image(opened, backdrop=options.backdrop, keeps_color=options.keeps_color), options


class IdentityDenoiser:
    """Returns its input, clipped, and records its micro-batches: their shapes and noise levels."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []
        self.noise_levels: list[list[float] | None] = []

    def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
        self.shapes.append(images.shape)
        self.noise_levels.append(None if noise_levels is None else noise_levels.tolist())
        return np.clip(images, 0, 1)


def load_fake(folder: Path) -> IdentityDenoiser:
    """Load a version's folder as an IdentityDenoiser; one that has a file ``endless`` takes for ever."""
    while (folder / "endless").exists():
        time.sleep(1)
    return IdentityDenoiser()


class InvertingDenoiser(IdentityDenoiser):
    """Returns the negative of its input."""

    def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
        return 1 - super().denoise(images, noise_levels)


class BrokenDenoiser(IdentityDenoiser):
    """Fails on every micro-batch."""

    def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
        msg = "broken"
        raise RuntimeError(msg)


class FailingDenoiser(IdentityDenoiser):
    """Fails on every image whose first pixel is white."""

    def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
        if (images[:, 0, 0] == 1).any():
            msg = "the network's secret"
            raise RuntimeError(msg)
        return super().denoise(images, noise_levels)


def burn(seconds: float) -> None:
    """Take processor time, as a large network does."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


class GatedDenoiser(IdentityDenoiser):
    """Works only while its gate is open; ``entered`` is set as soon as a micro-batch waits at the gate.

    Its calls are too long for the event loop, which would wait at the gate, too.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.entered = threading.Event()

    def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
        self.entered.set()
        self.gate.wait(10)
        if len(images) == EAGER_BATCH:
            burn(2 * MAX_LOOP_CALL_S)
        return super().denoise(images, noise_levels)


def metadata_json(name: str = "tiny", version: int = 1, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
    """Build a valid ``metadata.json`` of a network for 28 x 28 digits, with ``changes``."""
    return {
        "schema_version": 1,
        "name": name,
        "version": version,
        "description": "A network for tests",
        "created": "2026-11-23T12:00:00Z",
        "input": {"height": 28, "width": 28, "channels": 1, "polarity": "light-on-dark"},
        "noise_level": None,
        "size_multiple": 1,
        "halo_px": 0,
        "training": {},
        "metrics": {"psnr_db": 20.0},
    } | changes


def make_metadata(**changes: Any) -> ModelMetadata:  # noqa: ANN401  # JSON
    """Build the metadata of a network for 28 x 28 digits, with ``changes``."""
    files = {"saved_model.pb": f"sha256:{'0' * 64}"}
    return ModelMetadata.model_validate(metadata_json(files=files, **changes))


NOISE_LEVELS = {"min": 0.0, "max": 75 / 255}
ANY_SIZE = {"height": None, "width": None, "channels": 1, "polarity": None}


def write_version(store: Path, name: str = "tiny", version: int = 1, **changes: Any) -> Path:  # noqa: ANN401  # JSON
    """Write a version that only a fake can load: real metadata and hashes, empty files."""
    folder = store / name / str(version)
    (folder / "variables").mkdir(parents=True)
    files = {}
    for file in ("saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"):
        content = f"{name}/{version}/{file}".encode()
        (folder / file).write_bytes(content)
        files[file] = f"sha256:{sha256(content).hexdigest()}"
    metadata = {"files": files} | metadata_json(name, version, **changes)
    (folder / "metadata.json").write_text(json.dumps(metadata))
    return folder


def write_store(folder: Path) -> Path:
    """Write ``tiny``, 28 x 28, in versions 1 and 2; of any size, ``free`` and ``told``, which takes a noise level."""
    write_version(folder, "tiny", 1)
    write_version(folder, "tiny", 2, description="The second")
    write_version(folder, "free", 1, input=ANY_SIZE)
    write_version(folder, "told", 1, input=ANY_SIZE, noise_level=NOISE_LEVELS)
    return folder
