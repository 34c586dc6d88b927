"""``python -m app denoise`` and ``models``: in this process with a fake network, and with servers."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from PIL import Image
from pydantic import BaseModel
from rich.console import Console

from app.__main__ import main
from app.commands.options import metavar
from app.commands.plan import Job, Plan
from app.commands.remote import MAX_BUSY_RESPONSES
from app.commands.report import MAX_ROWS, Report
from app.imaging.samples import FloatImage
from app.inference.denoiser import NoiseLevels
from app.main import create_app
from app.settings import Settings
from tests.app.fakes import BrokenDenoiser, IdentityDenoiser
from tests.app.pictures import decode, encode, ring
from tests.app.processes import command
from tests.app.serving import Response, answering, serving

PICTURE = encode(ring())
MODELS = {"default": "tiny", "models": []}


@pytest.fixture(autouse=True)
def _settings(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DENOISER_MODEL_STORE", str(store))
    monkeypatch.setenv("DENOISER_DEFAULT_MODEL", "tiny")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with three pictures, one of them in a nested folder."""
    folder = tmp_path / "in"
    for name in ("a.png", "b.png", "sub/deep/c.png"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PICTURE)
    return folder


@pytest.fixture
def url(store: Path) -> Iterator[str]:
    """The address of a real server whose networks return their input."""
    settings = Settings(model_store=store, default_model="tiny")
    with serving(create_app(settings, load=lambda _folder: IdentityDenoiser())) as address:
        yield address


def denoise(*arguments: object, network: object = None) -> int:
    return main(["denoise", *map(str, arguments)], load=lambda _folder: network or IdentityDenoiser())


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def not_loaded(_folder: Path) -> Any:  # noqa: ANN401  # as main takes it
    raise NotImplementedError


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


def test_one_picture_goes_through_standard_input_and_output_silently(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(PICTURE)))
    assert denoise("-") == 0
    written = capfdbinary.readouterr()
    assert np.array_equal(decode(written.out), ring())
    assert written.err == b""


def test_existing_results_are_skipped_without_loading_a_network(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert denoise(pictures, "-o", tmp_path / "out") == 0
    assert main(["denoise", str(pictures), "-o", str(tmp_path / "out")], load=not_loaded) == 0
    assert "3 already there" in capsys.readouterr().err
    (tmp_path / "out/a.png").write_bytes(b"old")
    assert denoise(pictures, "-o", tmp_path / "out", "--overwrite") == 0
    assert (tmp_path / "out/a.png").read_bytes() != b"old"


def test_a_result_that_cannot_be_written_fails_alone(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/sub").write_bytes(b"a file where a folder should be")
    assert denoise(pictures, "-o", tmp_path / "out") == 1
    assert "cannot be written" in capsys.readouterr().err
    assert files(tmp_path / "out") == ["a.png", "b.png", "sub"]


def test_no_half_written_file_remains(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "out/b.png").mkdir(parents=True)
    assert denoise(pictures, "-o", tmp_path / "out", "--overwrite") == 1
    assert files(tmp_path / "out") == ["a.png", "sub/deep/c.png"]


def test_a_network_that_fails_says_why(pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class FailsLater(BrokenDenoiser):
        def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
            return super().denoise(images, noise_levels) if images.any() else images

    assert denoise(pictures, "-o", tmp_path / "out", network=FailsLater()) == 1
    assert "The network failed on this image. broken" in capsys.readouterr().err


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


def service(respond: Callable[[bytes], Response | None], models: Callable[[], Response | None] | None = None) -> Any:  # noqa: ANN401  # a context
    """A service that answers pictures with what ``respond`` returns."""

    def handle(path: str, body: bytes) -> Response | None:
        if path == "/v1/models":
            return models() if models else (200, {}, json.dumps(MODELS).encode())
        return respond(body)

    return answering(handle)


def problem(status: int, **headers: str) -> Response:
    body = {"type": "/problems/busy", "title": "Busy", "status": status, "detail": "The service is busy."}
    return status, {"Retry-After": "0"} | headers, json.dumps(body).encode()


@pytest.mark.parametrize("status", [429, 503])
def test_a_picture_is_sent_again_while_the_service_is_busy(pictures: Path, tmp_path: Path, status: int) -> None:
    busy = [problem(status), problem(status)]
    with service(lambda body: busy.pop() if busy else (200, {}, body)) as address:
        assert denoise(pictures, "-o", tmp_path / "out", "--url", address) == 0
    assert busy == []
    assert files(tmp_path / "out") == ["a.png", "b.png", "sub/deep/c.png"]


def test_a_picture_fails_if_the_service_stays_busy(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[bytes] = []

    def refuse(body: bytes) -> Response:
        asked.append(body)
        return problem(503)

    with service(refuse) as address:
        assert denoise(pictures / "a.png", "-o", tmp_path / "out", "--url", address) == 1
    assert len(asked) == MAX_BUSY_RESPONSES
    assert "The service is busy." in capsys.readouterr().err


def test_a_response_of_another_kind_is_a_failure(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with service(lambda body: (502, {}, b"<h1>Bad gateway</h1>")) as address:
        assert denoise(pictures / "a.png", "-o", tmp_path / "out", "--url", address) == 1
    assert "answered with status 502" in capsys.readouterr().err


def test_a_picture_that_breaks_the_connection_fails_alone(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pictures / "b.png").write_bytes(b"poison")
    with service(lambda body: None if body == b"poison" else (200, {}, body)) as address:
        assert denoise(pictures, "-o", tmp_path / "out", "--url", address) == 1
    assert files(tmp_path / "out") == ["a.png", "sub/deep/c.png"]
    assert "the connection broke" in capsys.readouterr().err


def test_a_service_that_goes_away_ends_the_run(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    looks: list[Response] = [(200, {}, json.dumps(MODELS).encode())]
    with service(lambda body: None, lambda: looks.pop() if looks else None) as address:
        assert denoise(pictures, "-o", tmp_path / "out", "--url", address, "--connections", 1) == 1
    told = capsys.readouterr().err
    assert f"{address} cannot be reached" in told
    assert "3 not tried" in told


@pytest.mark.parametrize("arguments", [["denoise", "IN", "-o", "OUT"], ["models"]], ids=lambda words: words[0])
@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://127.0.0.1:9", "http://127.0.0.1:9 cannot be reached: Connection refused; is the service running"),
        ("localhost:8000", "starts with http://"),
    ],
)
def test_an_address_without_a_service_is_a_short_error(
    pictures: Path, tmp_path: Path, arguments: list[str], address: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"IN": str(pictures), "OUT": str(tmp_path / "out")}
    assert main([*(places.get(word, word) for word in arguments), "--url", address]) in (1, 2)
    assert words in capsys.readouterr().err


def test_an_address_of_another_service_is_a_short_error(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(lambda path, body: (404, {}, b"nothing here")) as address:
        assert main(["models", "--url", address]) == 1
    assert "is no denoiser (status 404" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["here", "service"])
def test_the_models_are_a_table(url: str, place: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", *(["--url", url] if place == "service" else [])]) == 0
    lines = capsys.readouterr().out.splitlines()
    (tiny,) = (line for line in lines if line.startswith("tiny (default)"))
    assert tiny.split()[2:] == ["1,", "2", "28x28", "light-on-dark", "20.0", "dB", "The", "second"]
    assert any("any size" in line for line in lines)


def test_a_model_that_cannot_be_loaded_is_a_short_error(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert denoise(pictures, "-o", tmp_path / "out", network=BrokenDenoiser()) == 1
    assert "a call with 1 x 28 x 28 pixels failed" in capsys.readouterr().err


def test_ctrl_c_ends_the_command_with_a_message_and_the_exit_code_of_shells(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupting(IdentityDenoiser):
        def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
            raise KeyboardInterrupt

    assert denoise(pictures, "-o", tmp_path / "out", network=Interrupting()) == 130
    assert "Interrupted." in capsys.readouterr().err


def test_the_help_shows_what_the_schema_allows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["denoise", "--help"]) == 0
    told = capsys.readouterr().out
    for option in ("--fit stretch|pad|mnist", "--version INTEGER", "--model TEXT", "--output-size model|original"):
        assert option in told


def test_a_parameter_of_several_types_shows_them_all() -> None:
    class Query(BaseModel):
        noise_level: Literal["auto"] | float | None = None
        bit_depth: Literal[8, 16, "same"] | None = None

    properties = Query.model_json_schema()["properties"]
    assert metavar(properties["noise_level"]) == "auto|NUMBER"
    assert metavar(properties["bit_depth"]) == "8|16|same"


def test_a_terminal_shows_the_progress() -> None:
    written = io.StringIO()
    plan = Plan([Job(None, Path("a.png")), Job(None, Path("b.png"))])
    report = Report(plan, Console(file=written, force_terminal=True, width=100))
    with report.running():
        report.count("a", None)
        report.count("b", None)
    assert "2/2" in written.getvalue()
    assert "/s" in written.getvalue()


def test_a_long_list_of_failures_is_cut() -> None:
    written = io.StringIO()
    report = Report(Plan([Job(None, None)] * (MAX_ROWS + 5)), Console(file=written, width=100))
    with report.running():
        for number in range(MAX_ROWS + 5):
            report.count(f"[{number}]", "because")
    assert "[99]" in written.getvalue()
    assert "and 5 more" in written.getvalue()


def test_the_whole_command_runs_with_a_real_network(tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)).save(tmp_path / "noisy.png")
    ended = command(
        "denoise", str(tmp_path / "noisy.png"), "-o", str(tmp_path / "clean.png"), "--model", "article",
        model_store="", default_model="",
    )  # fmt: skip
    assert ended.stderr == ""
    assert ended.returncode == 0
    assert decode((tmp_path / "clean.png").read_bytes()).shape == (28, 28)
