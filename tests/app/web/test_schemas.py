"""The wire format."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from app.errors import ModelNotFoundError
from app.inference.model_store import Catalogue, open_store
from app.web.schemas import DenoiseQuery, ModelEntry, ModelList, Problem


@pytest.fixture
def catalogue(store: Path) -> Catalogue:
    return open_store(store, default="tiny")


@pytest.mark.parametrize(("given", "read"), [("auto", "auto"), ("12.5", 12.5), ("0", 0), (75, 75), (None, None)])
def test_a_noise_level_is_a_number_or_auto(given: object, read: object) -> None:
    assert DenoiseQuery.model_validate({"noise_level": given}).noise_level == read


@pytest.mark.parametrize("given", ["loud", "-1", "nan", "", "AUTO", [1]], ids=str)
def test_what_a_noise_level_can_be_is_said_in_one_sentence(given: object) -> None:
    with pytest.raises(ValidationError) as refusal:
        DenoiseQuery.model_validate({"noise_level": given})
    (error,) = refusal.value.errors()
    assert error["msg"] == "Input should be 'auto' or a number that is not negative"


def test_a_query_cannot_be_changed_because_it_is_cached() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        DenoiseQuery().model = "tiny"  # type: ignore[misc]  # it is frozen


def test_a_problem_has_only_the_members_that_say_something() -> None:
    problem = Problem(type="/problems/x", title="X", status=413, detail="No.", limit=0)
    assert problem.model_dump(mode="json") == {
        "type": "/problems/x", "title": "X", "status": 413, "detail": "No.", "limit": 0
    }  # fmt: skip


def test_models_are_listed_by_name_and_described_by_their_highest_version(catalogue: Catalogue) -> None:
    listed = ModelList.of(catalogue)
    assert listed.default == "tiny"
    assert [(model.name, model.versions) for model in listed.models] == [("free", [1]), ("tiny", [1, 2]), ("told", [1])]
    assert listed.models[1] == ModelEntry.of(catalogue, "tiny")
    assert listed.models[1].description == "The second"
    assert ModelList.model_validate_json(listed.model_dump_json()) == listed


def test_an_unknown_model_cannot_be_described(catalogue: Catalogue) -> None:
    with pytest.raises(ModelNotFoundError):
        ModelEntry.of(catalogue, "huge")
