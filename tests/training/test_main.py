import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.training.conftest import FinishedRun
from tests.training.drawing import draw_blobs, write_images, write_pairs
from training.__main__ import main
from training.fit.checkpoints import load_progress
from training.fit.provenance import format_command, restore_config
from training.presets import PRESETS

PYTHON = [sys.executable, "-m", "training"]
# Without the log level that the service has set in this process.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"} | {"COLUMNS": "80"}


def test_help_comes_without_importing_keras() -> None:
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "training", "train", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--resume" in result.stdout
    assert "keras" not in result.stderr


def test_an_error_is_one_line_and_a_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "article", "--data", str(tmp_path / "none"), "--run-dir", str(tmp_path / "run")]) == 1
    errors = capsys.readouterr().err.splitlines()
    assert errors == [
        f"error: {tmp_path / 'none'}: no such file or folder; --data takes mnist, an .npz file or a folder"
    ]


def test_a_name_that_cannot_be_is_refused_before_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "article", "--name", "a/b", "--run-dir", str(tmp_path / "run")]) == 1
    assert "'a/b' cannot name a model" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_without_export_the_store_stays_as_it_is(finished_run: FinishedRun, tmp_path: Path) -> None:
    words = ["train", "article", "--data", finished_run.data, "--epochs", "1", "--resume", "--no-export"]
    words += ["--run-dir", finished_run.run_dir, "--store", tmp_path / "store"]
    assert main([str(word) for word in words]) == 0
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_ended_keeps_the_best_weights_and_says_how_to_go_on(
    number: signal.Signals, status: int, blobs_npz: Path, tmp_path: Path
) -> None:
    words = ["train", "article", "--data", str(blobs_npz), "--run-dir", str(tmp_path / "run"), "--no-export"]
    with subprocess.Popen(
        [*PYTHON, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        # The third epoch has begun, so that the checkpoint of the second is complete.
        assert any(line.startswith("Epoch 3/") for line in process.stdout)
        process.send_signal(number)
        process.stdout.read()
        said = process.stderr.read()
    assert process.returncode == status
    assert f"the best weights so far are in {tmp_path / 'run' / 'plain' / 'best.npz'}" in said
    assert f"python -m training {shlex.join([*words, '--resume'])}" in said
    assert said.startswith("\ninterrupted; ")  # and nothing else, no greeting of TensorFlow either
    assert "Traceback" not in said
    assert load_progress(tmp_path / "run" / "plain").epochs >= 2
    with np.load(tmp_path / "run" / "plain" / "best.npz") as arrays:
        assert sum(array.size for array in arrays.values()) == 4385


def test_a_full_disk_is_one_clear_error(blobs_npz: Path, tmp_path: Path) -> None:
    words = ["train", "article", "--data", str(blobs_npz), "--run-dir", str(tmp_path / "run"), "--no-export"]
    limited = 'ulimit -f 24; exec "$@"'  # KiB for a file: the weights fit, the optimizer's state does not
    unmeasured = {name: value for name, value in ENVIRONMENT.items() if not name.startswith("COVERAGE")}
    result = subprocess.run(
        ["/bin/bash", "-c", limited, "bash", *PYTHON, *words],
        capture_output=True,
        text=True,
        check=False,
        env=unmeasured,  # coverage writes files, too
    )
    assert result.returncode == 1
    assert result.stderr == (
        f"error: {tmp_path / 'run'}: no room for the files (File too large); the best weights so far are in"
        f" {tmp_path / 'run' / 'plain' / 'best.npz'}\nto continue: python -m training {shlex.join(words)} --resume\n"
    )


def test_a_run_is_kept_under_the_name_of_its_network(
    blobs_npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("mine", "other"):
        words = ["train", "article", "--data", str(blobs_npz), "--epochs", "1", "--name", name, "--no-export"]
        assert main(words) == 0
    assert {path.parent.name for path in Path("runs").glob("*/run.json")} == {"mine", "other"}


def test_a_network_is_adapted_to_noisy_pictures_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures = np.random.default_rng(0).normal(0.5, 0.1, (2, 256, 256, 1)).clip(0, 1).astype(np.float32)
    write_images(tmp_path / "noisy", pictures)
    words = ["train", "photo", "--data", str(tmp_path / "noisy"), "--noisy-only"]
    assert main(words) == 1
    assert "--noisy-only goes with the preset photo, and needs --name" in capsys.readouterr().err
    words += ["--name", "mine", "--run-dir", str(tmp_path / "run"), "--no-export", "--minutes", "0.001"]
    assert main(words) == 0
    run = json.loads((tmp_path / "run" / "run.json").read_text())
    config = restore_config(run)
    assert [stage.name for stage in config.stages] == ["adapt"]
    assert config.stages[0].start_from is not None
    assert config.stages[0].start_from.startswith("photo-")
    command = format_command(config, run["data"], name="mine")
    assert "--data path/to/noisy --start-from photo/" in command
    assert command.endswith(" --noisy-only --minutes 0.001 --name mine")
    assert load_progress(tmp_path / "run" / "adapt").epochs == 1


def test_minutes_end_a_run_before_its_epochs(blobs_npz: Path, tmp_path: Path) -> None:
    words = ["train", "article", "--data", str(blobs_npz), "--run-dir", str(tmp_path / "run"), "--no-export"]
    assert main([*words, "--minutes", "0.0001"]) == 0
    assert [load_progress(tmp_path / "run" / stage.name).epochs for stage in PRESETS["article"].stages] == [1, 0, 1]
    config = restore_config(json.loads((tmp_path / "run" / "run.json").read_text()))
    assert config.minutes == 0.0001
    assert format_command(config, "blobs").endswith("--data path/to/blobs --minutes 0.0001")


def test_a_classifier_needs_labels(blobs_npz: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["classifier", "--data", str(blobs_npz)]) == 1
    assert "a classifier needs the labels" in capsys.readouterr().err


def test_evaluation_wants_clean_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_pairs(tmp_path / "data", draw_blobs(1), draw_blobs(1))
    assert main(["evaluate", "digits/2", "--data", str(tmp_path / "data")]) == 1
    assert "holds pairs" in capsys.readouterr().err


def test_the_command_says_what_the_store_has(finished_run: FinishedRun, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--data", str(finished_run.data), "--store", str(finished_run.store)]
    assert main(["evaluate", "article/7", *words]) == 1
    assert "no article/7 in it; found 1 of article" in capsys.readouterr().err
    assert main(["evaluate", "nothing", *words]) == 1
    assert "found no version of nothing" in capsys.readouterr().err


def test_the_command_prints_the_tables(finished_run: FinishedRun, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", "article", "--data", finished_run.data, "--store", finished_run.store]
    assert main([str(word) for word in [*words, "--runs", finished_run.run_dir, "--limit", "1"]]) == 0
    assert "| article/1 |" in capsys.readouterr().out


def test_without_the_libraries_of_the_filters_the_command_says_what_to_do(
    finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("training.digits.assess", "training.digits.comparison", "training.digits.baselines"):
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert main(["evaluate", "article", "--store", str(finished_run.store)]) == 1
    assert "the classical filters need cv2: `make install`" in capsys.readouterr().err
