"""Which pictures become which results on the command line."""

from pathlib import Path

import pytest

from app.commands.configuration import CommandUsageError
from app.commands.denoising.plan import Plan, make_plan
from app.imaging.encode import OutputFormat


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with some pictures."""
    for name in ("a.png", "in/b.jpg", "in/sub/c.PNG", "in/.hidden/d.png", "in/.e.png", "in/notes.txt", "other/b.tif"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def plan(
    *inputs: str, output: str | None = "out", overwrite: bool = False, output_format: OutputFormat | None = None
) -> Plan:
    return make_plan(inputs, output, overwrite=overwrite, output_format=output_format)


def pairs(made: Plan) -> list[tuple[str, str]]:
    return [(str(job.source or "-"), str(job.target or "-")) for job in made.jobs]


def test_pictures_in_a_folder_keep_their_places() -> None:
    made = plan("in")
    assert pairs(made) == [("in/b.jpg", "out/b.png"), ("in/sub/c.PNG", "out/sub/c.png")]
    assert made.ignored == ["in/notes.txt"]


def test_a_folder_may_be_named_like_a_picture() -> None:
    assert pairs(plan("in/sub", output="out.png/")) == [("in/sub/c.PNG", "out.png/c.png")]


def test_there_may_be_no_picture_yet(folder: Path) -> None:
    (folder / "empty").mkdir()
    assert make_plan(["empty"], "out", overwrite=False, may_be_empty=True).jobs == []


def test_several_inputs_share_a_folder_with_a_subfolder_for_each_folder() -> None:
    assert pairs(plan("a.png", "in/sub", "other/")) == [
        ("a.png", "out/a.png"), ("in/sub/c.PNG", "out/sub/c.png"), ("other/b.tif", "out/other/b.png")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "output", "target"),
    [
        ("a.png", "clean.png", "clean.png"),
        ("a.png", "new/clean.PNG", "new/clean.PNG"),
        ("a.png", "new", "new/a.png"),
        ("a.png", "in", "in/a.png"),
        ("in/notes.txt", "new/", "new/notes.png"),
        ("a.png", "-", "-"),
        ("-", "-", "-"),
        ("-", None, "-"),
        ("-", "clean.png", "clean.png"),
        ("-", "in", "in/stdin.png"),
    ],
)
def test_one_picture_goes_to_a_file_a_folder_or_a_stream(source: str, output: str | None, target: str) -> None:
    assert pairs(plan(source, output=output)) == [(source, target)]


@pytest.mark.parametrize(
    ("output", "asked", "expected"),
    [
        ("clean.png", None, ("png", "clean.png")),
        ("clean.JPG", None, ("jpeg", "clean.JPG")),
        ("clean.jpeg", "jpeg", ("jpeg", "clean.jpeg")),
        ("clean.avif", None, ("avif", "clean.avif")),
        ("new", "jpeg", ("jpeg", "new/b.jpg")),
        ("new", None, ("png", "new/b.png")),
        ("-", "webp", ("webp", "-")),
    ],
)
def test_the_ending_or_the_option_chooses_the_format(
    output: str, asked: OutputFormat | None, expected: tuple[str, str]
) -> None:
    made = plan("in/b.jpg", output=output, output_format=asked)
    assert (made.format, str(made.jobs[0].target or "-")) == expected


def test_results_of_a_folder_end_as_their_format_does() -> None:
    made = plan("in", output_format="webp")
    assert pairs(made) == [("in/b.jpg", "out/b.webp"), ("in/sub/c.PNG", "out/sub/c.webp")]


def test_an_ending_that_contradicts_the_option_is_reported() -> None:
    with pytest.raises(CommandUsageError, match=r"clean\.jpg: the name says jpeg, but --format says png"):
        plan("a.png", output="clean.jpg", output_format="png")


def test_an_existing_result_is_skipped_or_replaced(folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out/b.png").write_bytes(b"done")
    made = plan("in")
    assert made.skipped == 1
    assert pairs(made) == [("in/sub/c.PNG", "out/sub/c.png")]
    assert len(plan("in", overwrite=True).jobs) == 2


def test_of_two_pictures_with_the_same_result_the_second_fails(folder: Path) -> None:
    (folder / "in/b.tif").write_bytes(b"")
    made = plan("in")
    assert [failure.name for failure in made.failures] == ["in/b.tif"]
    assert "out/b.png, like that of in/b.jpg" in made.failures[0].reason
    assert len(made.jobs) == 2


@pytest.mark.parametrize(
    ("inputs", "output", "words"),
    [
        (["missing.png"], "out", "missing.png: no such file or folder"),
        (["a.png"], None, "use -o to say"),
        (["in"], "-", "takes one picture only"),
        (["a.png", "-"], "-", "takes one picture only"),
        (["a.png"], "clean.tif", "must end in .avif, .jpeg, .jpg, .png, .webp"),
        (["in"], "notes.txt", "need a folder"),
        (["in"], "new.png", "new.png: this names one picture, but several need a folder; new.png/ makes one"),
        (["a.png", "in/b.jpg"], "new.JPG", "this names one picture"),
        (["in"], "a.png", "this names one picture"),
        (["a.png", "in"], "a.png", "this names one picture"),
        (["in"], "in", "is inside in"),
        (["in"], "in/out", "is inside in"),
        (["a.png"], "a.png", "would be replaced"),
        (["a.png"], ".", "would be replaced"),
        (["in/../a.png"], "in/..", "would be replaced"),
        (["in/.hidden"], "out", "no picture found"),
    ],
    ids=str,
)
def test_arguments_that_contradict_each_other_are_reported_before_anything_is_read(
    folder: Path, inputs: list[str], output: str | None, words: str
) -> None:
    (folder / "in/.hidden/d.png").unlink()
    (folder / "notes.txt").write_text("a file")
    with pytest.raises(CommandUsageError, match=words):
        plan(*inputs, output=output)


def test_no_result_replaces_another_picture(folder: Path) -> None:
    (folder / "out/in/in").mkdir(parents=True)
    for name in ("out/in/x.png", "out/in/in/x.png"):
        (folder / name).write_bytes(b"")
    with pytest.raises(CommandUsageError, match="would be replaced"):
        plan("out/in", "a.png", overwrite=True)
