"""Pictures that come while a command runs."""

from functools import partial
from pathlib import Path

import pytest

from app.commands.denoising.plan import make_plan
from app.commands.denoising.watch import Watch
from tests.app.pictures import encode, ring


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def watch(inbox: Path, tmp_path: Path) -> Watch:
    return Watch(partial(make_plan, [str(inbox)], str(tmp_path / "out"), overwrite=False, may_be_empty=True))


def found(watch: Watch) -> list[str]:
    return [job.filename for job in watch.find_ready()]


def test_a_picture_counts_once_it_has_not_changed_between_two_looks(watch: Watch, inbox: Path) -> None:
    assert found(watch) == []
    (inbox / "a.png").write_bytes(encode(ring()))
    assert found(watch) == []
    (inbox / "a.png").write_bytes(encode(ring(56)))
    assert found(watch) == []
    assert found(watch) == ["a.png"]


def test_a_picture_that_failed_is_tried_again_only_if_it_changes(watch: Watch, inbox: Path) -> None:
    (inbox / "a.png").write_bytes(b"no picture")
    assert [found(watch) for _ in range(3)] == [[], ["a.png"], []]
    (inbox / "a.png").write_bytes(encode(ring()))
    assert [found(watch) for _ in range(3)] == [[], ["a.png"], []]


def test_a_picture_that_is_gone_is_forgotten(watch: Watch, inbox: Path) -> None:
    (inbox / "a.png").write_bytes(encode(ring()))
    assert found(watch) == []
    (inbox / "a.png").unlink()
    assert found(watch) == []
    (inbox / "b.png").symlink_to("nowhere")
    assert [found(watch) for _ in range(2)] == [[], []]
