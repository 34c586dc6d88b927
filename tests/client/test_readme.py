"""The code of the client's README runs."""

import re
from pathlib import Path

import pytest

from tests.app.pictures import encode, ring

README = Path(__file__).resolve().parents[2] / "client" / "README.md"


def test_the_code_of_the_readme_runs(url: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "photo.jpg").write_bytes(encode(ring(90), "JPEG"))
    (folder / "notes.txt").write_text("no picture")
    (code,) = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    exec(code.replace("http://127.0.0.1:8000", url), {})  # noqa: S102  # the README's
    assert sorted(path.name for path in folder.iterdir()) == ["clean.webp", "notes.txt", "photo.jpg", "photo.jpg.png"]
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("free/1 ")
    assert second.startswith("notes.txt 415 The bytes are not an image")
