"""metadata.json for a SavedModel made elsewhere, if it meets the contract."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from training.config import Interface, NoiseLevelRange
from training.errors import StoreError
from training.store.export import SIGNATURE, SavedNetwork
from training.store.metadata import FILE_NAME, Metadata, Size, write_metadata
from training.store.versions import NAME_PATTERN, hash_files

DEFAULT_NOISE_LEVEL = NoiseLevelRange(0.0, 75 / 255)
# Heights and widths for trying networks of any size.
SAMPLE_SIZES = ((1, 1), (17, 23), (64, 48))


def describe(folder: Path, *, description: str, interface: Interface, overwrite: bool = False) -> None:
    """Check the SavedModel in STORE/NAME/VERSION and write metadata.json beside it.

    The noise level of ``interface`` counts only for networks with that input, and defaults to 0 to 75/255.

    Raises:
        StoreError: it is elsewhere, has metadata.json already, or breaks the contract.
    """
    folder = folder.resolve()
    name, version = _parse_location(folder)
    if (folder / FILE_NAME).exists() and not overwrite:
        raise StoreError(f"{folder / FILE_NAME} exists; --overwrite replaces it")
    saved = SavedNetwork(folder)
    size, channels = _check_signature(saved)
    noise_level = (interface.noise_level or DEFAULT_NOISE_LEVEL) if "noise_level" in saved.inputs else None
    for height, width in SAMPLE_SIZES:
        _check_call(saved, shape=(3, size[0] or height, size[1] or width, channels), noise_level=noise_level)
    metadata = Metadata(
        name=name,
        version=version,
        description=description,
        size=size,
        channels=channels,
        interface=replace(interface, noise_level=noise_level),
        training={},
        metrics={},
        files=hash_files(folder),
    )
    write_metadata(folder, metadata)


def _parse_location(folder: Path) -> tuple[str, int]:
    """Return name and version of STORE/NAME/VERSION, or raise StoreError."""
    if not (folder / "saved_model.pb").is_file():
        raise StoreError(f"{folder}: there is no saved_model.pb in it")
    name, version = folder.parent.name, folder.name
    if not NAME_PATTERN.fullmatch(name) or not version.isascii() or not version.isdigit() or version.startswith("0"):
        raise StoreError(f"{folder}: expected STORE/NAME/VERSION, the version a positive integer")
    return name, int(version)


def _check_signature(saved: SavedNetwork) -> tuple[Size, int]:
    """Return (height, width) and channels of the input, or raise StoreError for what breaks the contract."""
    names = set(saved.inputs)
    if names not in ({"image"}, {"image", "noise_level"}):
        raise StoreError(f"{SIGNATURE} has the inputs {sorted(names)}, expected image and perhaps noise_level")
    if set(saved.outputs) != {"denoised"}:
        raise StoreError(f"{SIGNATURE} has the outputs {sorted(saved.outputs)}, expected denoised")
    for name, (dtype, _) in (saved.inputs | saved.outputs).items():
        if dtype != "float32":
            raise StoreError(f"{name} is {dtype}, expected float32")
    if "noise_level" in names and saved.inputs["noise_level"][1] != (None,):
        raise StoreError(f"noise_level has the shape {saved.inputs['noise_level'][1]}, expected (None,)")
    match saved.inputs["image"][1]:
        case (None, None, None, 1 | 3 as channels):
            return (None, None), channels
        case (None, int(height), int(width), 1):
            return (height, width), 1
        case shape:
            raise StoreError(
                f"image has the shape {shape}, expected (None, H, W, 1) with H and W both fixed or both None,"
                " or (None, None, None, 3)"
            )


def _check_call(saved: SavedNetwork, *, shape: tuple[int, ...], noise_level: NoiseLevelRange | None) -> None:
    """Denoise random images with values outside [0, 1]; raise StoreError for output of another shape or range."""
    image = np.random.default_rng(0).uniform(-0.2, 1.2, shape).astype(np.float32)
    levels = None if noise_level is None else np.full(shape[0], noise_level.max, np.float32)
    denoised = saved.denoise(image, levels)
    if denoised.shape != shape:
        raise StoreError(f"denoised has the shape {denoised.shape} for images of shape {shape}, expected the same")
    if not np.isfinite(denoised).all() or denoised.min() < 0 or denoised.max() > 1:
        raise StoreError(f"denoised goes from {denoised.min():g} to {denoised.max():g}, expected values in [0, 1]")
