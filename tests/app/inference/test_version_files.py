"""Files of a version: what may be opened, and what is refused without waiting for it."""

import os
from pathlib import Path

import pytest

from app.errors import ModelStoreError
from app.inference.version_files import open_file, read_card, read_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_bytes(b"secret")
    folder = tmp_path / "version"
    (folder / "variables").mkdir(parents=True)
    (folder / "variables/a").write_bytes(b"12345")
    return folder


def test_a_file_below_the_folder_is_read(folder: Path) -> None:
    assert read_file(folder, "variables/a", max_bytes=5) == b"12345"


@pytest.mark.parametrize("name", ["/dev/zero", "../secret", "variables/../../secret", "variables"])
def test_no_other_path_is_opened(folder: Path, name: str) -> None:
    with pytest.raises(ModelStoreError):
        open_file(folder, name)


def test_a_link_that_leads_out_is_refused(folder: Path) -> None:
    (folder / "link").symlink_to(folder.parent / "secret")
    with pytest.raises(ModelStoreError, match="link"):
        open_file(folder, "link")


def test_a_pipe_is_refused_and_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(ModelStoreError, match="pipe"):
        open_file(folder, "pipe")


def test_a_file_that_is_too_large_is_refused(folder: Path) -> None:
    with pytest.raises(ModelStoreError, match="variables/a"):
        read_file(folder, "variables/a", max_bytes=4)


def test_a_version_may_have_no_card(folder: Path) -> None:
    assert read_card(folder) is None


def test_a_card_that_is_no_text_is_an_error(folder: Path) -> None:
    (folder / "MODEL_CARD.md").write_bytes(b"# \xff")
    with pytest.raises(ModelStoreError, match=r"MODEL_CARD\.md"):
        read_card(folder)
