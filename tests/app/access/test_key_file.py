"""The file of keys: what is accepted, and how it is replaced."""

import json
import stat
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from app.access.key_file import Key, create_secret, digest, editing, read_keys
from app.errors import KeyFileError

DIGESTS = [digest(f"secret {number}") for number in range(3)]


def write(path: Path, *keys: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"keys": keys}))
    return path


def test_a_key_is_for_denoising_at_any_rate_on_half_of_the_slots(tmp_path: Path) -> None:
    (key,) = read_keys(write(tmp_path / "keys.json", {"name": "shop", "sha256": DIGESTS[0]}))
    assert key == Key(name="shop", sha256=DIGESTS[0], scopes=("denoise",), rate=None, burst=1, max_share=0.5)


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ([{"name": "a b", "sha256": DIGESTS[0]}], "keys.0.name: "),
        ([{"name": "a", "sha256": "the-secret"}], "keys.0.sha256: "),
        ([{"name": "a"}], "keys.0.sha256: Field required"),
        ([{"name": "a", "sha256": DIGESTS[0], "scopes": []}], "keys.0.scopes: "),
        ([{"name": "a", "sha256": DIGESTS[0], "scopes": ["the-secret"]}], "keys.0.scopes.0: "),
        ([{"name": "a", "sha256": DIGESTS[0], "rate": 0}], "keys.0.rate: "),
        ([{"name": "a", "sha256": DIGESTS[0], "burst": 0}], "keys.0.burst: "),
        ([{"name": "a", "sha256": DIGESTS[0], "max_share": 1.1}], "keys.0.max_share: "),
        ([{"name": "a", "sha256": DIGESTS[0], "the-secret": 1}], "keys.0: a field is none of name, sha256,"),
        ([{"name": "a", "sha256": DIGESTS[0]}, {"name": "b", "sha256": DIGESTS[0]}], "the same digest"),
        ([{"name": "a", "sha256": DIGESTS[0], "rate": 1}, {"name": "a", "sha256": DIGESTS[1]}], "named a differ"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_wrong_is_named_without_the_content(tmp_path: Path, keys: list[dict[str, Any]], fault: str) -> None:
    path = write(tmp_path / "keys.json", *keys)
    with pytest.raises(KeyFileError) as caught:
        read_keys(path)
    assert str(path) in str(caught.value)
    assert fault in str(caught.value)
    assert "the-secret" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"the-secret": 1}', '{"keys": {"the-secret": 1}}', "\xff"])
def test_what_is_no_file_of_keys_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(KeyFileError) as caught:
        read_keys(path)
    assert "the-secret" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"nowhere\.json: no such file"):
        read_keys(tmp_path / "nowhere.json")


def test_keys_of_one_name_may_follow_each_other(tmp_path: Path) -> None:
    keys = [{"name": "shop", "sha256": sha, "rate": 5, "scopes": [scope]}
            for sha, scope in zip(DIGESTS, ("denoise", "metrics"), strict=False)]  # fmt: skip
    assert [key.name for key in read_keys(write(tmp_path / "keys.json", *keys))] == ["shop", "shop"]


def test_a_new_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    with editing(path) as keys:
        assert keys == []
        keys.append(Key(name="shop", sha256=DIGESTS[0]))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [key.name for key in read_keys(path)] == ["shop"]


def test_a_file_that_is_replaced_keeps_its_mode_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = write(tmp_path / "keys.json", {"name": "shop", "sha256": DIGESTS[0]})
    path.chmod(0o640)
    before = path.stat().st_ino
    with editing(path) as keys:
        keys.append(Key(name="other", sha256=DIGESTS[1]))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.stat().st_ino != before
    assert list(tmp_path.iterdir()) == [path]


def test_behind_a_link_the_file_itself_is_replaced(tmp_path: Path) -> None:
    path = write(tmp_path / "keys.json")
    link = tmp_path / "link.json"
    link.symlink_to(path)
    with editing(link) as keys:
        keys.append(Key(name="shop", sha256=DIGESTS[0]))
    assert link.is_symlink()
    assert len(read_keys(path)) == 1


def test_an_edit_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "keys.json", {"name": "shop", "sha256": DIGESTS[0], "rate": 5})
    before = path.read_bytes()
    with pytest.raises(KeyFileError, match="named shop differ"), editing(path) as keys:
        keys.append(Key(name="shop", sha256=DIGESTS[1], rate=6))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_secrets_are_long_and_different_and_their_digest_is_sha_256() -> None:
    first, second = create_secret(), create_secret()
    assert first != second
    assert min(len(first), len(second)) >= 50
    assert digest(first) == sha256(first.encode()).hexdigest()
