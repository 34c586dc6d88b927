"""metadata.json: what the service has to know about a network before it loads it."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from training.config import Interface
from training.store.versions import hash_files

FILE_NAME = "metadata.json"
SCHEMA_VERSION = 1

Size = tuple[int | None, int | None]


def build_metadata(
    folder: Path,
    *,
    name: str,
    version: int,
    description: str,
    size: Size,
    interface: Interface,
    training: dict[str, Any],
    metrics: dict[str, Any],
) -> dict[str, Any]:
    """Return the metadata of the SavedModel in `folder`; `size` is (height, width), (None, None) where it is free."""
    height, width = size
    return {
        "schema_version": SCHEMA_VERSION,
        "name": name,
        "version": version,
        "description": description,
        "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "input": {"height": height, "width": width, "channels": 1, "polarity": interface.polarity},
        "noise_level": asdict(interface.noise_level) if interface.noise_level else None,
        "size_multiple": interface.size_multiple,
        "halo_px": interface.halo_px,
        "training": training,
        "metrics": metrics,
        "files": hash_files(folder),
    }


def write_metadata(folder: Path, metadata: dict[str, Any]) -> None:
    """Write metadata.json."""
    (folder / FILE_NAME).write_text(json.dumps(metadata, indent=2) + "\n", encoding="utf-8")
