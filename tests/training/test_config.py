import json
from dataclasses import replace

import pytest

from training.config import Adadelta, Stage
from training.images.noise import NoNoise
from training.presets import PRESETS


@pytest.mark.parametrize("preset", ["digits", "photo"])
def test_pairs_are_not_bent(preset: str) -> None:
    config = PRESETS[preset].with_pairs()
    assert config.takes_pairs
    assert {str(stage.noise) for stage in config.stages} == {"that of noisy/clean pairs"}
    assert {stage.augmentation for stage in config.stages} == {None}


def test_a_run_from_a_version_of_the_store_is_the_last_stage_alone_with_a_lower_learning_rate() -> None:
    preset = PRESETS["digits"]
    (stage,) = preset.starting_from("digits-1").stages
    assert (stage.name, stage.start_from) == ("settle", "digits-1")
    assert stage.optimizer == replace(preset.stages[-1].optimizer, learning_rate=0.4e-3)


def test_or_the_stages_of_the_parts_where_each_is_trained_alone() -> None:
    preset = PRESETS["photo"]
    stages = preset.starting_from("photo-2").stages
    assert [(stage.name, stage.part, stage.start_from, stage.copy_of) for stage in stages] == [
        ("white-gray", "white-gray", "photo-2", None),
        ("gray", "gray", "white-gray", None),
        ("white-colour", "white-colour", "gray", None),
        ("colour", "colour", "white-colour", None),
    ]


def test_pairs_train_no_parts_for_white_noise() -> None:
    for origin, config in ((None, PRESETS["photo"]), ("mine-1", PRESETS["photo"].starting_from("mine-1"))):
        pairs = config.with_pairs()
        assert [(stage.name, stage.start_from, stage.copy_of) for stage in pairs.stages] == [
            ("gray", origin, None),
            ("colour", "gray", None),
        ]
        assert pairs.architecture == PRESETS["photo"].with_noisy_only().architecture == "photo-any-noise"
    assert PRESETS["digits"].with_pairs().architecture == PRESETS["digits"].architecture


def test_gray_pairs_train_no_network_for_colour() -> None:
    config = PRESETS["photo"].without_colour()
    assert [stage.name for stage in config.stages] == ["denoise", "white-gray", "gray"]
    assert PRESETS["digits"].without_colour() == PRESETS["digits"]


def test_the_article_still_learns_to_copy_clean_images_first() -> None:
    config = PRESETS["article"].with_pairs()
    assert [str(stage.noise) for stage in config.stages] == ["none", "none", "that of noisy/clean pairs"]


def test_each_stage_has_its_share_of_the_minutes() -> None:
    stages = tuple(Stage(name, NoNoise(), epochs, Adadelta(1.0)) for name, epochs in (("first", 1), ("second", 3)))
    config = replace(PRESETS["article"], stages=stages)
    assert [replace(config, minutes=8.0).minutes_of(stage) for stage in config.stages] == [2.0, 6.0]
    assert [config.minutes_of(stage) for stage in config.stages] == [None, None]


def test_a_config_is_dumped_as_it_comes_back_from_a_file() -> None:
    dumped = PRESETS["photo"].to_json()
    assert json.loads(json.dumps(dumped)) == dumped
    assert dumped["crops"]["side_px"] == 128
    assert dumped["stages"][0]["optimizer"]["name"] == "Muon"


def test_a_stage_that_is_told_the_level_is_not_measured_with_one_noise() -> None:
    for stage in PRESETS["photo"].stages:
        with pytest.raises(TypeError, match="fixed noise levels"):
            _ = stage.test_noise


def test_lessons_are_left_out_of_runs_on_other_data() -> None:
    names = [stage.name for stage in PRESETS["article"].without_lessons().stages]
    assert names == ["plain", "denoise"]
