"""The commands of the README and the examples of the API page work, and links lead somewhere."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.settings import Settings
from tests.app.processes import REPOSITORY, RunningService, running_service
from tests.training.drawing import draw_blobs

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
API = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")
PYTHON_BLOCKS = re.findall(r"^```python\n(.*?)^```$", API, re.DOTALL | re.MULTILINE)
URL = "http://127.0.0.1:8000"
PYTHON = ".venv/bin/python"

# These install, train for long, or serve until they are stopped.
NOT_RUN = [
    "make serve\n",
    """\
make train PRESET=digits ARGS="--data path/to/clean/pictures --name mine"
curl --data-binary @docs/samples/digit.png -o clean.png "http://127.0.0.1:8000/v1/denoise?model=mine"
""",
]
RUN = [block for block in BLOCKS if block not in NOT_RUN]


@pytest.fixture(scope="module")
def service() -> Iterator[RunningService]:
    with running_service() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the commands expect."""
    (digit,) = np.rint(draw_blobs(1)[..., 0] * 255).astype(np.uint8)
    Image.fromarray(digit).save(tmp_path / "noisy.png")
    Image.fromarray(255 - digit).resize((120, 80)).convert("RGB").save(tmp_path / "photo.jpg")
    (tmp_path / "photos").mkdir()
    shutil.copy(tmp_path / "photo.jpg", tmp_path / "photos")
    shutil.copytree(REPOSITORY / "docs" / "samples", tmp_path / "docs" / "samples")
    return tmp_path


def list_outputs(command: str, folder: Path) -> list[Path]:
    """Return what a command wrote: the file after -o, or every file in the folder after it."""
    path = folder / re.findall(r"-o (\S+)", command)[0]
    return [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]


def check_output(path: Path) -> None:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            assert set(archive.namelist()) in (
                {"digit.png", "photograph.png", "manifest.json"},
                {"noisy.png", "photo.png", "manifest.json"},
            )
    else:
        with Image.open(path) as image:
            assert image.format == "PNG"


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("block", RUN)
def test_a_block_of_commands_writes_the_pictures_that_it_promises(
    block: str, service: RunningService, folder: Path
) -> None:
    for line in block.splitlines():
        command = line.replace(URL, service.url).replace(PYTHON, sys.executable)
        subprocess.run(
            ["/bin/sh", "-ec", command],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
            check=True,
            capture_output=True,
            timeout=120,
        )
        outputs = list_outputs(line, folder)
        assert outputs
        for path in outputs:
            check_output(path)
            path.unlink()


@pytest.mark.parametrize("block", PYTHON_BLOCKS)
def test_the_python_examples_of_the_api_page_work(block: str, service: RunningService, folder: Path) -> None:
    subprocess.run([sys.executable, "-c", block.replace(URL, service.url)], cwd=folder, check=True, timeout=120)
    (output,) = folder.rglob("*clean.png")
    check_output(output)


def test_every_setting_is_on_the_page_of_settings() -> None:
    page = (REPOSITORY / "docs" / "settings.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `DENOISER_(\w+)`", page, re.MULTILINE) == [name.upper() for name in Settings.model_fields]


def test_every_block_is_either_run_or_listed_as_not_run() -> None:
    assert [block for block in BLOCKS if block not in RUN] == NOT_RUN
    assert len(RUN) >= 3


def test_every_link_to_a_file_leads_to_one() -> None:
    pages = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *(REPOSITORY / "docs").rglob("*.md")]
    missing = [
        f"{page.relative_to(REPOSITORY)}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
        if not re.match(r"https?:|mailto:", link) and not (page.parent / link).exists()
    ]
    assert missing == []


def slug(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_link_to_a_section_leads_to_one() -> None:
    missing = []
    for page in [REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md")]:
        for target, anchor in re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", page.read_text(encoding="utf-8")):
            text = (page.parent / target if target else page).read_text(encoding="utf-8")
            if anchor not in [slug(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)]:
                missing.append(f"{page.name}: {target}#{anchor}")
    assert missing == []
