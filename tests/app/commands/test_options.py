"""The parameters of the HTTP API as options."""

from typing import Literal

import pytest
from click.shell_completion import ShellComplete
from pydantic import BaseModel

from app.__main__ import commands, main
from app.commands.configuration import CommandUsageError
from app.commands.options import metavar, read_query
from app.web.schemas import DenoiseQuery


def test_the_help_shows_what_the_schema_allows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["denoise", "--help"]) == 0
    told = capsys.readouterr().out
    for option in ("--fit stretch|pad|mnist", "--version INTEGER", "-m, --model TEXT", "--output-size model|original"):
        assert option in told


@pytest.mark.parametrize(
    ("words", "incomplete", "found"),
    [
        (["denoise"], "--mod", ["--model"]),
        (["denoise", "--fit"], "", ["stretch", "pad", "mnist"]),
        (["denoise", "--noise-level"], "a", ["auto"]),
        (["denoise", "-m"], "", ["auto", "free", "tiny", "told"]),
        (["denoise", "-m"], "t", ["tiny", "told"]),
        ([], "d", ["denoise"]),
    ],
    ids=str,
)
def test_options_and_their_values_are_completed(words: list[str], incomplete: str, found: list[str]) -> None:
    completion = ShellComplete(commands, {}, "denoiser", "_DENOISER_COMPLETE")
    assert [item.value for item in completion.get_completions(words, incomplete)] == found


def test_a_parameter_of_several_types_shows_them_all() -> None:
    class Query(BaseModel):
        noise_level: Literal["auto"] | float | None = None
        bit_depth: Literal[8, 16, "same"] | None = None

    properties = Query.model_json_schema()["properties"]
    assert metavar(properties["noise_level"]) == "auto|NUMBER"
    assert metavar(properties["bit_depth"]) == "8|16|same"


def test_a_wrong_value_is_named_by_its_option() -> None:
    with pytest.raises(CommandUsageError, match=r"^--noise-level: Input should be 'auto' or .*, not 'loud'$"):
        read_query({"noise_level": "loud", "model": None})


def test_an_option_that_is_not_given_has_the_default_of_the_service() -> None:
    assert read_query(dict.fromkeys(DenoiseQuery.model_fields)) == DenoiseQuery()
