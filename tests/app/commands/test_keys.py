"""``python -m app keys``."""

import re
import stat
from pathlib import Path

import pytest

from app.__main__ import main
from app.access.key_file import Key, digest, read_keys


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "keys.json"
    monkeypatch.setenv("DENOISER_KEYS_FILE", str(path))
    return path


def test_add_prints_the_secret_and_nothing_else_and_stores_its_digest(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keys", "add", "shop", "--rate", "50", "--burst", "10", "--max-share", "0.25"]) == 0
    out, err = capsys.readouterr()
    secret = out.removesuffix("\n")
    assert re.fullmatch(r"denoiser_[\w-]{43}", secret)
    assert err == ""
    assert read_keys(path) == (
        Key(name="shop", sha256=digest(secret), scopes=("denoise",), rate=50, burst=10, max_share=0.25),
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secret not in path.read_text()


def test_a_second_key_of_a_name_takes_over_its_limits_and_scopes(path: Path) -> None:
    main(["keys", "add", "shop", "--rate", "50", "--scope", "denoise", "--scope", "metrics"])
    assert main(["keys", "add", "shop"]) == 0
    first, second = read_keys(path)
    assert first.model_copy(update={"sha256": second.sha256}) == second
    assert first.sha256 != second.sha256


def test_list_shows_no_secret(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["keys", "add", "shop", "--rate", "50"])
    main(["keys", "add", "operator", "--scope", "metrics"])
    secrets = capsys.readouterr().out.split()
    assert main(["keys", "list"]) == 0
    out = capsys.readouterr().out
    rows = [line.split() for line in out.splitlines()[2:]]
    ids = [key.sha256[:8] for key in read_keys(path)]
    assert rows == [
        ["shop", ids[0], "denoise", "50", "1", "50%"], ["operator", ids[1], "metrics", "any", "any", "50%"]
    ]  # fmt: skip
    assert not any(secret in out for secret in secrets)


def test_remove_asks_which_of_several_keys_it_is(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        main(["keys", "add", "shop"])
    old, new = read_keys(path)
    assert main(["keys", "remove", "shop"]) == 2
    assert old.sha256[:8] in capsys.readouterr().err
    assert main(["keys", "remove", "shop", "--id", old.sha256[:8]]) == 0
    assert read_keys(path) == (new,)
    assert main(["keys", "remove", "shop"]) == 0
    assert read_keys(path) == ()


def test_all_keys_of_a_name_can_be_removed_at_once(path: Path) -> None:
    for name in ("shop", "shop", "clinic"):
        main(["keys", "add", name])
    assert main(["keys", "remove", "shop", "--all"]) == 0
    assert [key.name for key in read_keys(path)] == ["clinic"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["remove", "nobody"], 1, "no such key named nobody"),
        (["add", "a b"], 2, "name: "),
        (["add", "shop", "--rate", "0"], 2, "rate: "),
        (["add", "clinic", "--rate", "6"], 1, "the keys named clinic differ"),
        (["add", "shop", "--file", "/nowhere/keys.json"], 1, "/nowhere: no such file"),
        (["list", "--file", "/nowhere/keys.json"], 1, "/nowhere/keys.json: no such file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be_done_is_a_short_error(
    path: Path, arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["keys", "add", "clinic", "--rate", "5"])
    capsys.readouterr()
    assert main(["keys", *arguments]) == code
    out, err = capsys.readouterr()
    assert message in err
    assert out == ""


def test_without_a_file_the_setting_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "list"]) == 2
    assert "DENOISER_KEYS_FILE" in capsys.readouterr().err
