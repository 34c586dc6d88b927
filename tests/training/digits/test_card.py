import json
from typing import Any

import pytest

from tests.training.conftest import FinishedRun
from training.digits.card import render_model_card


@pytest.fixture
def metadata(finished_run: FinishedRun) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((finished_run.store / "article" / "1" / "metadata.json").read_text())
    return loaded


def test_mnist_is_named_with_authors_and_licence(metadata: dict[str, Any]) -> None:
    metadata["training"]["data"] = "MNIST"
    card = render_model_card(metadata, command="make it", figures=[])
    for words in ("Yann LeCun, Corinna Cortes", "CC BY-SA 3.0", "Apache-2.0", "make it"):
        assert words in card


def test_a_network_of_any_size_is_told_as_such(metadata: dict[str, Any]) -> None:
    metadata["input"] |= {"height": None, "width": None, "polarity": None}
    metadata["metrics"]["mac_per_image"] = None
    card = render_model_card(metadata, command="", figures=[])
    assert "of any size, of either polarity," in card
    assert "multiply-accumulates" not in card


def test_the_card_shows_the_figures_that_there_are(metadata: dict[str, Any]) -> None:
    for figures in (["features"], ["features", "reconstructions"], []):
        card = render_model_card(metadata, command="", figures=figures)
        assert [name for name in ("features", "reconstructions") if f"figures/{name}.png" in card] == figures


def test_the_commit_is_named_where_it_is_known(metadata: dict[str, Any]) -> None:
    metadata["training"]["git_commit"] = "0123abc"
    assert "commit 0123abc" in render_model_card(metadata, command="", figures=[])
    metadata["training"]["git_commit"] = None
    assert "commit" not in render_model_card(metadata, command="", figures=[])
