"""The figures of a version, figures/*.png, which its model card shows."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

DPI = 150
PALETTE_COLORS = 128


def save_figures(folder: Path, figures: Mapping[str, Figure]) -> None:
    """Write NAME.png for each figure, on white, so that dark pages show it, too."""
    folder.mkdir(exist_ok=True)
    for name, figure in figures.items():
        file = BytesIO()
        figure.savefig(file, dpi=DPI, facecolor="white")
        # A palette takes a third of the size and looks the same.
        with Image.open(file) as picture:
            picture.convert("RGB").quantize(PALETTE_COLORS).save(folder / f"{name}.png", optimize=True)
