"""Keys change while the service runs."""

import asyncio
import json
import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from app.access.key_file import Key, digest
from app.access.key_watch import KeyWatch
from app.access.keyring import Keyring
from app.errors import KeyFileError, KeyUnknownError

pytestmark = pytest.mark.anyio


def write(path: Path, secret: str) -> None:
    """Replace the file as `keys add` does."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"keys": [{"name": "shop", "sha256": digest(secret)}]}))
    new.replace(path)


def damage(path: Path) -> None:
    path.write_text("{")


def knows(keyring: Keyring, secret: str) -> bool:
    try:
        keyring.find(secret.encode())
    except KeyUnknownError:
        return False
    return True


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    write(path, "old")
    return path


async def test_a_file_that_changes_is_read_again(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    watch = KeyWatch(path)
    keyring = await watch.open()
    write(path, "new")
    with caplog.at_level("INFO"):
        await watch.look(keyring)
        await watch.look(keyring)
    assert (knows(keyring, "new"), knows(keyring, "old")) == (True, False)
    assert [record.message for record in caplog.records] == ["keys read"]


@pytest.mark.parametrize("harm", [damage, os.unlink], ids=["broken", "missing"])
async def test_while_it_is_broken_the_old_keys_stay_and_the_log_says_so_once(
    path: Path, caplog: pytest.LogCaptureFixture, harm: Callable[[Path], object]
) -> None:
    watch = KeyWatch(path)
    keyring = await watch.open()
    harm(path)
    for _ in range(3):
        await watch.look(keyring)
    assert knows(keyring, "old")
    (record,) = caplog.records
    assert str(path) in record.message
    assert "the keys that were read before it stay" in record.message
    write(path, "new")
    await watch.look(keyring)
    assert knows(keyring, "new")


async def test_a_link_that_changes_its_target_is_followed(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(path)
    watch = KeyWatch(link)
    keyring = await watch.open()
    write(tmp_path / "other.json", "new")
    link.unlink()
    link.symlink_to(tmp_path / "other.json")
    await watch.look(keyring)
    assert knows(keyring, "new")


async def test_without_a_valid_file_nothing_opens(path: Path) -> None:
    damage(path)
    with pytest.raises(KeyFileError):
        await KeyWatch(path).open()


async def test_a_process_that_replaces_another_waits_for_a_valid_file(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("app.access.key_watch.POLL_S", 0)
    damage(path)
    has_logged = asyncio.Event()

    class Noticing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            has_logged.set()

    handler = Noticing()
    logging.getLogger("app.access.key_watch").addHandler(handler)
    opening = asyncio.create_task(KeyWatch(path).open(waits=True))
    await has_logged.wait()
    logging.getLogger("app.access.key_watch").removeHandler(handler)
    assert not opening.done()
    write(path, "new")
    assert knows(await opening, "new")
    assert caplog.text.count("waits for keys") == 1


async def test_looking_goes_on_until_it_is_cancelled(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.access.key_watch.POLL_S", 0)
    watch = KeyWatch(path)
    await watch.open()
    is_replaced = asyncio.Event()

    class Noticing(Keyring):
        def replace(self, keys: Iterable[Key]) -> None:
            super().replace(keys)
            is_replaced.set()

    keyring = Noticing([])
    is_replaced.clear()
    running = asyncio.create_task(watch.run(keyring))
    write(path, "new")
    await is_replaced.wait()
    assert knows(keyring, "new")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
