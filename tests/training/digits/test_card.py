from dataclasses import replace

import pytest

from tests.training.conftest import FinishedRun
from training.config import Interface
from training.digits.card import render_card
from training.store.metadata import Metadata, read_metadata


@pytest.fixture
def metadata(finished_run: FinishedRun) -> Metadata:
    content = read_metadata(finished_run.store / "article" / "1")
    known = {name: content[name] for name in ("name", "version", "description", "training", "metrics", "files")}
    return Metadata(size=(28, 28), channels=1, interface=Interface("light-on-dark"), **known)


def test_mnist_is_named_with_authors_and_licence(metadata: Metadata) -> None:
    metadata.training["data"] = "MNIST"
    card = render_card(metadata, [], command="make it")
    for words in ("Yann LeCun, Corinna Cortes", "CC BY-SA 3.0", "Apache-2.0", "make it"):
        assert words in card


def test_a_network_of_any_size_is_told_as_such(metadata: Metadata) -> None:
    metadata.metrics["mac_per_image"] = None
    card = render_card(replace(metadata, size=(None, None), interface=Interface()), [], command="")
    assert "of any size, of either polarity," in card
    assert "multiply-accumulates" not in card


def test_the_card_shows_the_figures_that_there_are(metadata: Metadata) -> None:
    for figures in (["features"], ["features", "reconstructions"], []):
        card = render_card(metadata, figures, command="")
        assert [name for name in ("features", "reconstructions") if f"figures/{name}.png" in card] == figures


def test_the_commit_is_named_where_it_is_known(metadata: Metadata) -> None:
    metadata.training["git_commit"] = "0123abc"
    assert "commit 0123abc" in render_card(metadata, [], command="")
    metadata.training["git_commit"] = None
    assert "commit" not in render_card(metadata, [], command="")
