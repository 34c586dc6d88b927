"""Stores that are broken on purpose: the start ends at once, and names the file."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import pytest

from app.errors import ModelStoreError
from app.inference.model_store import open_store
from app.inference.version_files import MAX_CARD_BYTES, MAX_FILE_BYTES, MAX_METADATA_BYTES
from tests.app.fakes import write_version
from tests.app.processes import command

MAX_START_S = 30  # on a busy machine; a start that waits for a pipe or reads /dev/zero never ends

Break = Callable[[Path], None]


def naming(name: str) -> Break:
    """Let metadata.json name a further file."""

    def add(folder: Path) -> None:
        metadata = json.loads((folder / "metadata.json").read_text())
        metadata["files"][name] = f"sha256:{'0' * 64}"
        (folder / "metadata.json").write_text(json.dumps(metadata))

    return add


def as_pipe(name: str) -> Break:
    def replace(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)

    return replace


def as_folder(name: str) -> Break:
    def replace(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).mkdir()

    return replace


def as_link(name: str, target: str) -> Break:
    def replace(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target)

    return replace


def with_bytes(name: str, content: bytes) -> Break:
    def write(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return write


def as_large(name: str, size: int) -> Break:
    """Make a file with holes, which takes no space on the disk."""

    def grow(folder: Path) -> None:
        (folder / name).touch()
        os.truncate(folder / name, size)

    return grow


BROKEN: dict[str, tuple[Break, str]] = {
    "files name a device": (naming("/dev/zero"), r"metadata.json: files./dev/zero"),
    "files lead out": (naming("../../etc/passwd"), r"metadata.json: files.../../etc/passwd"),
    "files lead out below": (naming("variables/../../2"), "metadata.json: files.variables/../../2"),
    "files name the folder": (naming("."), "metadata.json: files"),
    "files name a folder": (naming("variables"), "tiny/1/variables is not a regular file"),
    "files name nothing": (naming("absent"), "tiny/1/absent cannot be read: No such file"),
    "files have a NUL": (naming("a\0b"), "metadata.json: files"),
    "a file is a pipe": (as_pipe("saved_model.pb"), "tiny/1/saved_model.pb is not a regular file"),
    "a file is a folder": (as_folder("saved_model.pb"), "tiny/1/saved_model.pb is not a regular file"),
    "a file is a link to a device": (as_link("saved_model.pb", "/dev/zero"), "tiny/1/saved_model.pb"),
    "a file is a link that leads out": (as_link("saved_model.pb", "/etc/passwd"), "leads out of the version's folder"),
    "a file is a link to itself": (as_link("saved_model.pb", "saved_model.pb"), "tiny/1/saved_model.pb cannot be read"),
    "a file is huge": (as_large("saved_model.pb", MAX_FILE_BYTES + 1), "tiny/1/saved_model.pb has 1,073,741,825 bytes"),
    "a file that only TensorFlow reads is a pipe": (as_pipe("fingerprint.pb"), "tiny/1/fingerprint.pb"),
    "metadata is a pipe": (as_pipe("metadata.json"), "tiny/1/metadata.json is not a regular file"),
    "metadata is a folder": (as_folder("metadata.json"), "tiny/1/metadata.json is not a regular file"),
    "metadata is a link to a device": (as_link("metadata.json", "/dev/zero"), "tiny/1/metadata.json leads out"),
    "metadata is huge": (as_large("metadata.json", MAX_METADATA_BYTES + 1), "tiny/1/metadata.json has 1,048,577 bytes"),
    "metadata is not UTF-8": (with_bytes("metadata.json", b'{"name": "\xff"}'), "tiny/1/metadata.json: the file"),
    "metadata is nested deeply": (with_bytes("metadata.json", b"[" * 100_000), "tiny/1/metadata.json: the file"),
    "card is not UTF-8": (with_bytes("MODEL_CARD.md", b"# \xff"), "tiny/1/MODEL_CARD.md is not UTF-8"),
    "card is huge": (as_large("MODEL_CARD.md", MAX_CARD_BYTES + 1), "tiny/1/MODEL_CARD.md has 262,145 bytes"),
    "card is a pipe": (as_pipe("MODEL_CARD.md"), "tiny/1/MODEL_CARD.md is not a regular file"),
    "card is a folder": (as_folder("MODEL_CARD.md"), "tiny/1/MODEL_CARD.md is not a regular file"),
    "card is a link that leads out": (as_link("MODEL_CARD.md", "/etc/passwd"), "tiny/1/MODEL_CARD.md leads out"),
}
# Each of these would keep a process that opens it without care waiting, or end it in a traceback.
STARTED = (
    "files name a device",
    "files lead out",
    "a file is a pipe",
    "a file is a folder",
    "metadata is a pipe",
    "metadata is a folder",
    "metadata is huge",
    "metadata is not UTF-8",
    "card is not UTF-8",
    "card is huge",
)


@pytest.mark.parametrize(("damage", "text"), BROKEN.values(), ids=BROKEN)
def test_a_broken_store_is_refused_with_the_name_of_the_file(tmp_path: Path, damage: Break, text: str) -> None:
    damage(write_version(tmp_path))
    with pytest.raises(ModelStoreError) as refusal:
        open_store(tmp_path, default=None)
    assert text in str(refusal.value)


@pytest.mark.parametrize(("damage", "text"), [BROKEN[name] for name in STARTED], ids=STARTED)
def test_a_broken_store_ends_the_start_with_one_line(tmp_path: Path, damage: Break, text: str) -> None:
    damage(write_version(tmp_path))
    start = perf_counter()
    ended = command("serve", model_store=tmp_path, port=0)
    assert perf_counter() - start < MAX_START_S
    assert ended.returncode == 1
    assert text in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_links_inside_the_folder_and_to_the_folder_are_followed(tmp_path: Path) -> None:
    folder = write_version(tmp_path / "elsewhere")
    (folder / "saved_model.pb").rename(folder / "graph.pb")
    (folder / "saved_model.pb").symlink_to("graph.pb")
    (tmp_path / "store" / "tiny").mkdir(parents=True)
    (tmp_path / "store" / "tiny" / "1").symlink_to(folder)
    assert open_store(tmp_path / "store", default=None).find("tiny", 1).key == ("tiny", 1)
