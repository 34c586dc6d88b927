"""Tiny data made in code, and one finished run that many tests look at."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.training.drawing import draw_blobs
from training.__main__ import main
from training.digits.data import CleanImages


@dataclass(frozen=True)
class FinishedRun:
    """What ``train`` left behind; tests do not write into it."""

    data: Path
    run_dir: Path
    store: Path


@pytest.fixture(scope="session")
def blobs() -> CleanImages:
    images = draw_blobs(60)
    return CleanImages("blobs", train=images[:40], validation=images[40:50], test=images[50:])


@pytest.fixture(scope="session")
def blobs_npz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "blobs.npz"
    pixels = np.rint(draw_blobs(60)[..., 0] * 255).astype(np.uint8)
    np.savez(path, x_train=pixels[:44], x_test=pixels[44:])
    return path


@pytest.fixture(scope="session")
def finished_run(blobs_npz: Path, tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    folder = tmp_path_factory.mktemp("finished")
    words = ["train", "article", "--data", blobs_npz, "--epochs", "1"]
    words += ["--run-dir", folder / "run", "--store", folder / "store"]
    assert main([str(word) for word in words]) == 0
    return FinishedRun(blobs_npz, folder / "run", folder / "store")
