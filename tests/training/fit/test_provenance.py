import json
from dataclasses import replace
from pathlib import Path

import pytest

from training.errors import RunError
from training.fit.provenance import describe_run, find_git_commit, format_command, restore_config
from training.presets import PRESETS

MODEL_STORE = Path(__file__).parents[3] / "model_store"


def test_a_run_is_described_without_loss() -> None:
    config = PRESETS["article"].with_epochs(7)
    assert restore_config(json.loads(json.dumps(describe_run(config, "MNIST")))) == config


def test_a_run_on_pairs_is_restored_as_such() -> None:
    config = PRESETS["photo"].with_pairs()
    assert restore_config(json.loads(json.dumps(describe_run(config, "scans")))) == config


def test_a_run_from_a_version_of_the_store_is_restored_as_such() -> None:
    origin = PRESETS["photo"].starting_from("mine-1")
    for config in (origin, origin.with_pairs(), PRESETS["photo"].with_noisy_only().starting_from("mine-1")):
        assert restore_config(json.loads(json.dumps(describe_run(config, "photos+bsds400")))) == config


def test_a_run_on_gray_pairs_is_restored_as_such() -> None:
    config = PRESETS["photo"].with_pairs().without_colour()
    assert restore_config(describe_run(config, "pairs")) == config


def test_a_run_of_other_stages_is_not_restored() -> None:
    run = describe_run(PRESETS["article"], "MNIST")
    del run["config"]["stages"][1:]
    with pytest.raises(RunError, match="the stages plain, which are not those of article now"):
        restore_config(run)


def test_a_run_of_another_architecture_is_not_restored() -> None:
    run = describe_run(PRESETS["photo"].with_pairs(), "pairs")
    run["config"]["architecture"] = "photo"  # as until photo/8
    with pytest.raises(RunError, match="the architecture photo, not photo-any-noise"):
        restore_config(run)


@pytest.mark.parametrize("version", ["article/1", "digits/2", "photo/10"])
def test_the_configs_of_the_committed_networks_are_restored_and_their_cards_say_the_command(version: str) -> None:
    run = json.loads((MODEL_STORE / version / "metadata.json").read_text())["training"]
    command = format_command(restore_config(run), run["data"])
    assert command.startswith(f"python -m training train {version.split('/')[0]}")
    assert f"\n{command}\n" in (MODEL_STORE / version / "MODEL_CARD.md").read_text()


def test_outside_a_git_repository_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_git_commit() is None


def test_the_command_names_what_differs_from_the_preset() -> None:
    article = PRESETS["article"]
    assert format_command(article, "MNIST") == "python -m training train article"
    assert format_command(article.with_epochs(2), "faces").endswith("train article --data path/to/faces --epochs 2")


def test_the_command_names_every_folder_and_the_version_to_start_from() -> None:
    config = PRESETS["photo"].starting_from("my-photos-12")
    command = format_command(replace(config, minutes=98.0), "photos+bsds400")
    assert command == (
        "python -m training train photo --data path/to/photos path/to/bsds400 --start-from my-photos/12 --minutes 98"
    )


def test_the_command_names_the_seed() -> None:
    config = replace(PRESETS["article"], seed=3)
    assert format_command(config, "MNIST").endswith("train article --seed 3")
