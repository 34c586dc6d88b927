from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from training.store.figures import save_figures


def test_figures_are_written_by_name_on_white(tmp_path: Path) -> None:
    save_figures(tmp_path / "figures", {"one": Figure(figsize=(2, 1)), "other": Figure(figsize=(1, 1))})
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == ["one.png", "other.png"]
    with Image.open(tmp_path / "figures" / "one.png") as image:
        assert image.size == (300, 150)
        assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
