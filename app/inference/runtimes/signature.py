"""What both runtimes ask of a signature."""

from collections.abc import Collection
from pathlib import Path

from app.errors import ModelStoreError

SIGNATURE = "serving_default"


def check_signature(folder: Path, name: str, *, inputs: Collection[str], outputs: Collection[str]) -> None:
    """Raise ModelStoreError unless the names of the inputs and outputs are those of model_store/README.md."""
    if not {"image"} <= set(inputs) <= {"image", "noise_level"} or "denoised" not in outputs:
        raise ModelStoreError(
            f"{folder}: {name} takes {sorted(inputs)} and returns {sorted(outputs)}, "
            "but must take image, perhaps noise_level, and return denoised"
        )
