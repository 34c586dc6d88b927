"""Results that are written whole or not at all."""

from pathlib import Path

from app.commands.denoising.results import write_whole
from tests.app.processes import denoise, files


def test_no_half_written_file_remains(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "out/b.png").mkdir(parents=True)
    assert denoise(pictures, "-o", tmp_path / "out", "--overwrite") == 1
    assert files(tmp_path / "out") == ["a.png", "sub/deep/c.png"]


def test_a_result_replaces_a_file_and_creates_the_folders_above_it(tmp_path: Path) -> None:
    for content in (b"first", b"second"):
        write_whole(content, tmp_path / "new/folder/a.png")
        assert (tmp_path / "new/folder/a.png").read_bytes() == content
    assert files(tmp_path / "new") == ["folder/a.png"]
