"""metadata.json: what the service must know about a network before it loads it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from training.config import Interface

FILE_NAME = "metadata.json"
SCHEMA_VERSION = 1

Size = tuple[int | None, int | None]


@dataclass(frozen=True)
class Metadata:
    """What is known about a version; ``size`` is (height, width), (None, None) where it is free."""

    name: str
    version: int
    description: str
    size: Size
    channels: int
    interface: Interface
    training: dict[str, Any]
    metrics: dict[str, Any]
    files: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return the content of metadata.json, created now."""
        height, width = self.size
        interface = asdict(self.interface)
        polarity = interface.pop("polarity")
        image = {"height": height, "width": width, "channels": self.channels, "polarity": polarity}
        return {
            "schema_version": SCHEMA_VERSION,
            "name": self.name,
            "version": self.version,
            "description": self.description,
            "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "input": image,
            **interface,
            "training": self.training,
            "metrics": self.metrics,
            "files": self.files,
        }


def write_metadata(folder: Path, metadata: Metadata) -> None:
    _write(folder, metadata.to_json())


def read_metadata(folder: Path) -> dict[str, Any]:
    """Return the content of metadata.json, which may have further keys if it was written by hand."""
    content: dict[str, Any] = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
    return content


def add_evaluation(folder: Path, scores: Mapping[str, Any]) -> None:
    """Add scores to the metrics in metadata.json, in place of those of the same names."""
    content = read_metadata(folder)
    content["metrics"].setdefault("evaluation", {}).update(scores)
    _write(folder, content)


def _write(folder: Path, content: dict[str, Any]) -> None:
    (folder / FILE_NAME).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
