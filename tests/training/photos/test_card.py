from typing import Any

import pytest

from training.config import Config
from training.fit.provenance import describe_run
from training.photos.card import render_card
from training.presets import PRESETS
from training.store.metadata import Metadata

PHOTO = PRESETS["photo"]
SCORES = {"psnr_db": 30.0, "ssim": 0.9, "noisy_psnr_db": 20.0}


def render(
    config: Config = PHOTO,
    *,
    data: str = "holidays",
    licences: dict[str, int] | None = None,
    **changes: Any,  # noqa: ANN401  # JSON
) -> str:
    level = "pairs" if config.takes_pairs else "25 in colour"
    metrics = {
        "protocol": "3 held-out photographs",
        **SCORES,
        "by_noise_level": {level: SCORES},
        "train_images": 50,
        "validation_images": 3,
        "epochs": {stage.name: 7 + place for place, stage in enumerate(config.stages)},
        "minutes": 1.5,
        "parameters": 1_000_000,
        "mac_per_pixel": 39_488,
        **({"licences": licences} if licences else {}),
    }
    run = describe_run(config, data) | changes
    metadata = Metadata("mine", 2, "Mine", (None, None), 3, config.interface, run, metrics, files={})
    return render_card(metadata, ["examples", "loss"], command="make it")


def test_the_card_says_how_the_network_was_trained_and_how_good_it_is() -> None:
    card = render()
    assert card.startswith("# mine/2\n\nMine.\n")
    assert "50 photographs were trained on, at scales from 1 to 0.5; 3 were held out" in card
    assert "1000 steps of 8 crops of 128x128 pixels; mixed bfloat16" in card
    assert "| denoise | mean absolute error | 7 | Muon 0.003 | fresh weights |\n" in card
    assert "| white-gray | log mean squared error | 8 | Muon 0.001 | denoise |\n" in card
    assert "| gray | log mean squared error | 9 | Muon 0.001 | white-gray |\n" in card
    assert "| colour | log mean squared error | 11 | Muon 0.003 | white-colour |\n" in card
    assert "| 25 in colour | 20.00 | 30.00 | 0.900 |" in card
    assert "1,000,000 parameters, 39,488 multiply-accumulates a pixel" in card
    assert "```sh\nmake it\n```" in card


def test_the_card_of_pairs_speaks_of_their_noise_and_shows_no_photographs_of_the_project() -> None:
    card = render(PHOTO.with_pairs())
    assert "50 noisy/clean pairs were trained on; 3 were held out" in card
    assert "The network knows the noise of its pairs" in card
    assert "| pairs | 20.00 |" in card
    assert "astronaut" not in card
    assert "astronaut" in render()


@pytest.mark.parametrize(("data", "words"), [("bsds400", "non-commercial research"), ("holidays", "“holidays”")])
def test_the_data_and_its_licence_are_named(data: str, words: str) -> None:
    assert words in render(data=data)


def test_several_data_sets_are_named_each_with_its_terms() -> None:
    card = render(data="photos+walks+bsds400", licences={"CC BY 4.0": 3, "CC0": 40})
    assert "The photographs of “photos” and “walks”, by licence: 40 CC0, 3 CC BY 4.0. 400 images of [BSDS500]" in card
    assert "non-commercial research" in card
    assert "may disagree" not in card


def test_without_licences_the_rights_are_left_open_except_those_of_bsds() -> None:
    assert "The holders of the rights to “walks” may disagree" in render(data="walks+bsds400")
    assert "may disagree" not in render(data="bsds400")


def test_noise_of_cameras_is_said_to_be_known() -> None:
    card = render()
    noise = next(stage.noise for stage in PHOTO.stages if stage.part == "gray")
    assert f"; gray: {noise}; " in card
    assert "simulated cameras and scanners" in card


def test_the_card_says_which_version_the_weights_started_from() -> None:
    card = render(PHOTO.starting_from("photo-2"))
    assert "| white-gray | log mean squared error | 7 | Muon 0.0004 | photo/2 |\n" in card
    assert "fresh weights" not in card


def test_the_commit_is_named_where_it_is_known() -> None:
    assert "Trained at commit 0123abc." in render(git_commit="0123abc")
    assert "commit" not in render(git_commit=None)
