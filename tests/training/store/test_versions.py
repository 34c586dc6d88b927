import errno
from pathlib import Path

import pytest

from training.errors import StoreError
from training.store.versions import find_version, find_versions, hash_files, new_version


def test_a_version_appears_when_the_block_ends(tmp_path: Path) -> None:
    with new_version(tmp_path, "blobs") as (folder, version):
        (folder / "saved_model.pb").write_bytes(b"")
        assert find_versions(tmp_path / "blobs") == []
    assert version == 1
    assert [path.name for path in (tmp_path / "blobs").iterdir()] == ["1"]


def test_the_next_version_is_one_above_the_highest(tmp_path: Path) -> None:
    for name in ("2", "10", "011", "notes", ".tmp-1"):
        (tmp_path / "blobs" / name).mkdir(parents=True)
    with new_version(tmp_path, "blobs") as (_, version):
        assert version == 11


def break_off(store: Path) -> None:
    with new_version(store, "blobs") as (folder, _):
        (folder / "saved_model.pb").write_bytes(b"")
        raise RuntimeError


def test_an_error_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        break_off(tmp_path)
    assert list((tmp_path / "blobs").iterdir()) == []


def write_beside_someone_else(store: Path) -> None:
    with new_version(store, "blobs") as (folder, _):
        (folder / "saved_model.pb").write_bytes(b"mine")
        (store / "blobs" / "1").mkdir()
        (store / "blobs" / "1" / "saved_model.pb").write_bytes(b"theirs")


def test_a_version_that_someone_else_made_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="made at the same time"):
        write_beside_someone_else(tmp_path)
    assert [path.read_bytes() for path in tmp_path.rglob("saved_model.pb")] == [b"theirs"]


def test_what_a_killed_export_left_is_deleted_by_the_next(tmp_path: Path) -> None:
    left_over = tmp_path / "blobs" / ".tmp-4711"
    (left_over / "variables").mkdir(parents=True)
    (left_over / "saved_model.pb").write_bytes(b"half")
    with new_version(tmp_path, "blobs"):
        assert not left_over.exists()


def export_beside_another(store: Path) -> None:
    with new_version(store, "blobs") as (first, _):
        with new_version(store, "blobs"):
            assert first.is_dir()
        (first / "saved_model.pb").write_bytes(b"late")
        (store / "blobs" / "1" / "saved_model.pb").write_bytes(b"early")


def test_what_another_export_is_writing_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="made at the same time"):
        export_beside_another(tmp_path)
    assert [path.read_bytes() for path in tmp_path.rglob("saved_model.pb")] == [b"early"]


def fill_disk(store: Path) -> None:
    with new_version(store, "blobs") as (folder, _):
        (folder / "saved_model.pb").write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_one_sentence_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"blobs: no room for the files \(No space left on device\)"):
        fill_disk(tmp_path)
    assert list((tmp_path / "blobs").iterdir()) == []


@pytest.mark.parametrize("name", ["", "../blobs", ".blobs", "a/b", "x" * 65, "auto"])
def test_a_name_that_cannot_be_a_folder_or_is_reserved_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError, match="cannot name a model"), new_version(tmp_path, name):
        pass


def test_a_store_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("")
    with pytest.raises(StoreError, match="--store names another folder"), new_version(tmp_path / "store", "blobs"):
        pass


def test_every_file_that_is_loaded_is_hashed(tmp_path: Path) -> None:
    (tmp_path / "variables").mkdir()
    (tmp_path / "assets").mkdir()
    for name in ("saved_model.pb", "variables/variables.index", "assets/words.txt", "MODEL_CARD.md"):
        (tmp_path / name).write_bytes(b"")
    empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert hash_files(tmp_path) == dict.fromkeys(
        ("saved_model.pb", "variables/variables.index", "assets/words.txt"), empty
    )


def test_a_model_is_found_by_name_or_by_version(tmp_path: Path) -> None:
    for name in ("2", "10"):
        (tmp_path / "blobs" / name).mkdir(parents=True)
    assert find_version(tmp_path, "blobs") == tmp_path / "blobs" / "10"
    assert find_version(tmp_path, "blobs/2") == tmp_path / "blobs" / "2"


@pytest.mark.parametrize("model", ["blobs/3", "discs", "blobs/x"])
def test_a_version_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path, model: str) -> None:
    (tmp_path / "blobs" / "1").mkdir(parents=True)
    with pytest.raises(StoreError, match=f"no {model} in it; found"):
        find_version(tmp_path, model)
