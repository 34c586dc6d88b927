"""Denoising in this process, with networks that work and that fail."""

import threading
from pathlib import Path

import pytest

from app.commands.configuration import read_settings
from app.commands.denoising.local import LocalBackend
from app.commands.denoising.plan import Job
from app.imaging.samples import FloatImage
from app.inference.denoiser import NoiseLevels
from app.processing.batch import WINDOW
from app.web.schemas import DenoiseQuery
from tests.app.fakes import BrokenDenoiser, IdentityDenoiser
from tests.app.processes import denoise


def test_a_network_that_fails_says_why(pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class FailsLater(BrokenDenoiser):
        def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
            return super().denoise(images, noise_levels) if images.any() else images

    assert denoise(pictures, "-o", tmp_path / "out", network=FailsLater()) == 1
    assert "The network failed on this image. broken" in capsys.readouterr().err


def test_a_model_that_cannot_be_loaded_is_a_short_error(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert denoise(pictures, "-o", tmp_path / "out", network=BrokenDenoiser()) == 1
    assert "a call with 1 x 28 x 28 pixels failed" in capsys.readouterr().err


def test_results_come_in_the_order_of_their_pictures_and_one_for_each(pictures: Path) -> None:
    jobs = [Job(pictures / name, None) for name in ("b.png", "gone.png", "a.png", "sub/deep/c.png")]
    backend = LocalBackend(read_settings(), DenoiseQuery(), load=lambda _folder: IdentityDenoiser())
    results = list(backend.denoise(jobs))
    assert [result.job for result in results if result.reason is None] == [jobs[0], *jobs[2:]]
    assert [result.job for result in results if result.reason is not None] == [jobs[1]]


def test_what_is_freed_is_kept_until_the_last_result(pictures: Path) -> None:
    others = set(threading.enumerate())  # of services that tests share
    backend = LocalBackend(read_settings(), DenoiseQuery(), load=lambda _folder: IdentityDenoiser())
    results = backend.denoise([Job(pictures / "a.png", None)] * 2)
    next(results)
    assert "malloc" in {thread.name for thread in set(threading.enumerate()) - others}
    list(results)
    assert "malloc" not in {thread.name for thread in set(threading.enumerate()) - others}


def test_a_run_that_is_stopped_reads_no_more_pictures_than_were_in_work(pictures: Path) -> None:
    jobs = iter([Job(pictures / "a.png", None)] * 3 * WINDOW)
    backend = LocalBackend(read_settings(), DenoiseQuery(), load=lambda _folder: IdentityDenoiser())
    results = backend.denoise(jobs)
    next(results)
    results.close()
    assert len(list(jobs)) >= WINDOW
