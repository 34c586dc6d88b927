"""``python -m app denoise``: in this process with a fake network, and with a server."""

import io
from collections.abc import Generator, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.__main__ import main
from app.commands.configuration import read_settings
from app.commands.console import stderr_console
from app.commands.denoise import follow
from app.commands.denoising.local import LocalBackend
from app.commands.denoising.plan import Job, make_plan
from app.commands.denoising.results import Result
from app.commands.denoising.watch import Watch
from app.web.schemas import DenoiseQuery
from tests.app.fakes import IdentityDenoiser
from tests.app.pictures import decode, encode, ring
from tests.app.processes import command, denoise, files

PICTURE = encode(ring())


def not_loaded(_folder: Path) -> Any:  # noqa: ANN401  # as main takes it
    raise NotImplementedError


def format_of(path: Path) -> str | None:
    with Image.open(path) as image:
        return image.format


@pytest.mark.parametrize("place", ["here", "service"])
def test_a_folder_is_denoised_into_another(
    pictures: Path, tmp_path: Path, url: str, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert denoise(pictures, "-o", tmp_path / "out", *(["--url", url] if place == "service" else [])) == 0
    assert files(tmp_path / "out") == ["a.png", "b.png", "sub/deep/c.png"]
    assert np.array_equal(decode((tmp_path / "out/sub/deep/c.png").read_bytes()), ring())
    assert capsys.readouterr().err.startswith("3 denoised in ")


@pytest.mark.parametrize("place", ["here", "service"])
def test_a_bad_file_does_not_stop_the_others_and_is_reported_at_the_end(
    pictures: Path, tmp_path: Path, url: str, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (pictures / "bad.png").write_bytes(b"no picture")
    (pictures / "gone.png").symlink_to("nowhere")
    assert denoise(pictures, "-o", tmp_path / "out", *(["--url", url] if place == "service" else [])) == 1
    assert files(tmp_path / "out") == ["a.png", "b.png", "sub/deep/c.png"]
    told = capsys.readouterr().err
    assert "in/bad.png" in told
    assert "not an image in one of the accepted formats" in told
    assert "cannot be read: No such file" in told
    assert "3 denoised" in told
    assert "2 failed" in told


@pytest.mark.parametrize("place", ["here", "service"])
def test_the_options_are_the_parameters_of_the_service(pictures: Path, tmp_path: Path, url: str, place: str) -> None:
    (pictures / "a.png").write_bytes(encode(ring()[:, 4:24]))
    options = ["--output-size", "original", "--polarity", "light-on-dark", "--version", "1"]
    options += ["--url", url] if place == "service" else []
    assert denoise(pictures / "a.png", "-o", tmp_path / "a.png", *options) == 0
    assert decode((tmp_path / "a.png").read_bytes()).shape == (28, 20)


@pytest.mark.parametrize("place", ["here", "service"])
def test_the_ending_of_the_result_chooses_its_format(pictures: Path, tmp_path: Path, url: str, place: str) -> None:
    options = ["--url", url] if place == "service" else []
    assert denoise(pictures / "a.png", "-o", tmp_path / "a.webp", *options) == 0
    assert format_of(tmp_path / "a.webp") == "WEBP"
    assert denoise(pictures, "-o", tmp_path / "out", "--format", "jpeg", "--quality", "70", *options) == 0
    assert files(tmp_path / "out") == ["a.jpg", "b.jpg", "sub/deep/c.jpg"]
    assert format_of(tmp_path / "out/a.jpg") == "JPEG"


def test_one_picture_goes_through_standard_input_and_output_silently(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(PICTURE)))
    assert denoise("-", "--model", "tiny") == 0
    written = capfdbinary.readouterr()
    assert np.array_equal(decode(written.out), ring())
    assert written.err == b""


@pytest.mark.parametrize("place", ["here", "service"])
def test_the_model_is_chosen_by_the_size_of_each_picture_and_named_at_the_end(
    pictures: Path, tmp_path: Path, url: str, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--url", url] if place == "service" else []
    (pictures / "b.png").write_bytes(encode(ring(65)))
    assert denoise(pictures, "-o", tmp_path / "out", *options) == 0
    assert decode((tmp_path / "out/b.png").read_bytes()).shape == (65, 65)
    assert capsys.readouterr().err.endswith(
        "\nmodel: tiny/2 for 2, free/1 for 1, chosen by size (--model names another)\n"
    )
    assert denoise(pictures / "b.png", "-o", tmp_path / "b.png", *options) == 0
    assert capsys.readouterr().err == "model: free/1, chosen by size (--model names another)\n"


def test_a_version_alone_is_one_of_the_default_model(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pictures / "b.png").write_bytes(encode(ring(65)))
    assert denoise(pictures / "b.png", "-o", tmp_path / "b.png", "--version", "1") == 0
    assert decode((tmp_path / "b.png").read_bytes()).shape == (28, 28)
    assert capsys.readouterr().err == ""


def test_existing_results_are_skipped_without_loading_a_network(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert denoise(pictures, "-o", tmp_path / "out") == 0
    assert main(["denoise", str(pictures), "-o", str(tmp_path / "out")], load=not_loaded) == 0
    assert "3 already there" in capsys.readouterr().err
    (tmp_path / "out/a.png").write_bytes(b"old")
    assert denoise(pictures, "-o", tmp_path / "out", "--overwrite") == 0
    assert (tmp_path / "out/a.png").read_bytes() != b"old"


class CountingBackend(LocalBackend):
    """Counts how often it begins to work, which starts processes."""

    runs = 0

    def denoise(self, jobs: Iterable[Job]) -> Generator[Result, None, None]:
        self.runs += 1
        return super().denoise(jobs)


def test_a_folder_is_watched_until_ctrl_c(pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    looks = 0

    def sleep(seconds: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            (pictures / "late.png").write_bytes(PICTURE)
            (pictures / "bad.png").write_bytes(b"no picture")
        if looks == 6:
            raise KeyboardInterrupt

    backend = CountingBackend(read_settings(), DenoiseQuery(model="auto"), load=lambda _folder: IdentityDenoiser())
    look = partial(make_plan, [str(pictures)], str(tmp_path / "out"), overwrite=False, may_be_empty=True)
    assert follow(Watch(look), backend, stderr_console(), sleep=sleep) == 1
    assert files(tmp_path / "out") == ["a.png", "b.png", "late.png", "sub/deep/c.png"]
    told = capsys.readouterr().err
    assert "out/late.png (tiny/2)" in told
    assert told.count("bad.png: The bytes are not an image") == 1
    assert told.endswith("4 denoised, 1 failed\n")
    assert backend.runs == 2


def test_only_folders_can_be_watched(pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert denoise(pictures / "a.png", "-o", tmp_path / "out", "--watch") == 2
    assert "--watch takes folders only" in capsys.readouterr().err


def test_files_that_are_left_out_are_named(pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pictures / "notes.txt").write_text("no picture")
    assert denoise(pictures, "-o", tmp_path / "out", "-m", "tiny") == 0
    assert f"1 ignored, since they are not named like pictures ({pictures / 'notes.txt'})" in capsys.readouterr().err


def test_a_result_that_cannot_be_written_fails_alone(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/sub").write_bytes(b"a file where a folder should be")
    assert denoise(pictures, "-o", tmp_path / "out") == 1
    assert "cannot be written" in capsys.readouterr().err
    assert files(tmp_path / "out") == ["a.png", "b.png", "sub"]


@pytest.mark.parametrize("place", ["here", "service"])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--model", "none"], "'none'. Available: free, tiny, told."),
        (["--model", "tiny", "--version", "9"], "no version 9. Available: 1, 2."),
        (["--model", "free", "--fit", "pad"], "fit=pad has no meaning"),
        (["--fit", "crop"], "--fit: Input should be 'stretch', 'pad' or 'mnist', not 'crop'"),
        (["--version", "0"], "--version: "),
    ],
    ids=str,
)
def test_an_error_of_all_pictures_is_reported_once(
    pictures: Path, tmp_path: Path, url: str, place: str, options: list[str], words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    options = [*options, "--url", url] if place == "service" else options
    assert denoise(pictures, "-o", tmp_path / "out", *options) == 2
    told = capsys.readouterr().err
    assert words in told
    assert told.count(words) == 1
    assert not (tmp_path / "out").exists()


def test_the_whole_command_runs_with_a_real_network(tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)).save(tmp_path / "noisy.png")
    ended = command(
        "denoise", str(tmp_path / "noisy.png"), "-o", str(tmp_path / "clean.png"), "--model", "article",
        model_store="", default_model="",
    )  # fmt: skip
    assert ended.stderr == ""
    assert ended.returncode == 0
    assert decode((tmp_path / "clean.png").read_bytes()).shape == (28, 28)
