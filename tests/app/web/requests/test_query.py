"""Queries, and the options that they become for a network."""

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from app.errors import InvalidParameterError
from app.inference.model_store import Catalogue, open_store
from app.processing.options import Options
from app.web.requests.query import choose, choose_options, parse_query
from app.web.schemas import DenoiseQuery
from tests.app.fakes import ANY_SIZE, NOISE_LEVELS, make_metadata, write_version

FIXED = make_metadata()
FREE = make_metadata(input=ANY_SIZE)
TOLD = make_metadata(input=ANY_SIZE, noise_level=NOISE_LEVELS)


def test_defaults_of_a_network_of_a_fixed_size() -> None:
    assert choose_options(DenoiseQuery(), FIXED) == Options(
        model=FIXED,
        fit="stretch",
        polarity="auto",
        to_source=False,
        noise_level=None,
        strength=1.0,
        bit_depth="8",
        keeps_color=False,
        format="png",
        quality=90,
    )


def test_parameters_for_a_network_of_a_fixed_size_are_kept() -> None:
    asked = choose_options(DenoiseQuery(fit="mnist", polarity="dark-on-light", output_size="original"), FIXED)
    assert (asked.fit, asked.polarity, asked.to_source) == ("mnist", "dark-on-light", True)


def test_parameters_for_a_network_of_any_size_are_kept() -> None:
    asked = choose_options(DenoiseQuery(noise_level=51, strength=0.5, bit_depth="same", color="keep"), TOLD)
    assert (asked.noise_level, asked.strength, asked.bit_depth, asked.keeps_color) == (0.2, 0.5, "same", True)


def test_a_noise_level_to_estimate_is_none() -> None:
    assert choose_options(DenoiseQuery(noise_level="auto"), TOLD).noise_level is None


def test_a_network_of_any_size_accepts_the_original_size() -> None:
    assert choose_options(DenoiseQuery(output_size="original"), FREE).to_source


@pytest.mark.parametrize(
    ("model", "parameter", "value", "shown"),
    [
        (FREE, "fit", "pad", "pad"),
        (FREE, "fit", "stretch", "stretch"),
        (FREE, "output_size", "model", "model"),
        (FREE, "polarity", "auto", "auto"),
        (FREE, "noise_level", "auto", "auto"),
        (FREE, "noise_level", 25, "25"),
        (FREE, "strength", 1, "1"),
        (FIXED, "noise_level", "auto", "auto"),
        (FIXED, "strength", 0.5, "0.5"),
        (FIXED, "bit_depth", "8", "8"),
        (FIXED, "color", "gray", "gray"),
    ],
)
def test_an_unusable_parameter_is_refused_by_name(model: Any, parameter: str, value: Any, shown: str) -> None:  # noqa: ANN401
    with pytest.raises(InvalidParameterError, match=f"{parameter}={shown} has no meaning for the model") as refusal:
        choose_options(DenoiseQuery(**{parameter: value}), model)
    assert refusal.value.parameter == parameter


@pytest.mark.parametrize("level", [75.5, 80, 255])
def test_a_noise_level_that_the_network_does_not_support_is_refused_with_the_range(level: float) -> None:
    with pytest.raises(InvalidParameterError, match=f"takes 0 to 75, not {level:g}"):
        choose_options(DenoiseQuery(noise_level=level), TOLD)


@pytest.mark.parametrize(("color", "keeps"), [(None, True), ("keep", True), ("gray", False)])
def test_a_network_of_any_size_keeps_colour_unless_gray_is_asked_for(color: Any, keeps: bool) -> None:  # noqa: ANN401
    assert choose_options(DenoiseQuery(color=color), TOLD).keeps_color is keeps


@pytest.mark.parametrize(
    ("asked", "accepted", "chosen"), [(None, "png", "png"), (None, "webp", "webp"), ("jpeg", "webp", "jpeg")]
)
def test_the_format_is_the_one_asked_for_else_the_accepted_one(asked: Any, accepted: Any, chosen: str) -> None:  # noqa: ANN401
    assert choose_options(DenoiseQuery(format=asked), FIXED, accepted=accepted).format == chosen


@pytest.mark.parametrize(("asked", "accepted"), [("jpeg", "png"), (None, "avif")])
def test_16_bits_are_refused_for_formats_of_8(asked: Any, accepted: Any) -> None:  # noqa: ANN401
    with pytest.raises(InvalidParameterError, match="PNGs only") as refusal:
        choose_options(DenoiseQuery(bit_depth="16", format=asked), FREE, accepted=accepted)
    assert refusal.value.parameter == "bit_depth"


@pytest.mark.parametrize(
    ("query", "words"), [(b"noiseLevel=20", "'noiseLevel'; is 'noise_level' meant?"), (b"zoom=2", "parameter 'zoom'.")]
)
def test_an_unknown_parameter_is_an_error_with_the_known_ones(query: bytes, words: str) -> None:
    with pytest.raises(InvalidParameterError) as refusal:
        parse_query(query)
    assert words in str(refusal.value)
    assert refusal.value.names == sorted(DenoiseQuery.model_fields)


def test_a_query_is_read_from_its_text() -> None:
    assert parse_query(b"model=told&noise_level=12.5&color=keep") == DenoiseQuery(
        model="told", noise_level=12.5, color="keep"
    )
    assert parse_query(b"") == DenoiseQuery()


@pytest.mark.parametrize("level", ["loud", "-1", "nan", ""])
def test_an_invalid_noise_level_is_refused_with_what_is_allowed(level: str) -> None:
    with pytest.raises(InvalidParameterError, match="'auto' or a number that is not negative") as refusal:
        parse_query(f"noise_level={level}".encode())
    assert refusal.value.parameter == "noise_level"


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"fit": ["pad", "pad"]}, "fit"),
        ({"polarity": "Auto"}, "polarity"),
        ({"fit": "crop"}, "fit"),
        ({"version": "new"}, "version"),
        ({"modle": "tiny"}, "modle"),
        ({"version": 0}, "version"),
        ({"model": "told", "strength": "2.1"}, "strength"),
        ({"model": "told", "strength": "nan"}, "strength"),
        ({"model": "told", "bit_depth": "12"}, "bit_depth"),
        ({"model": "told", "color": "red"}, "color"),
        ({"format": "jpg"}, "format"),
        ({"quality": "0"}, "quality"),
        ({"quality": "101"}, "quality"),
        ({"quality": "high"}, "quality"),
        ({"x" * 1000: ""}, "x" * 100),
    ],
    ids=str,
)
def test_a_bad_parameter_is_named(query: dict[str, Any], parameter: str) -> None:
    with pytest.raises(InvalidParameterError, match=parameter) as refusal:
        parse_query(urlencode(query, doseq=True).encode())
    assert refusal.value.parameter == parameter


class TestAuto:
    @pytest.fixture
    def catalogue(self, tmp_path: Path) -> Catalogue:
        write_version(tmp_path, "digits")
        write_version(tmp_path, "photo", input=ANY_SIZE, noise_level=NOISE_LEVELS)
        return open_store(tmp_path, default=None)

    def test_the_model_depends_on_the_size(self, catalogue: Catalogue) -> None:
        choice = choose(DenoiseQuery(model="auto"), catalogue)
        assert (choice.small.model.name, choice.large.model.name) == ("digits", "photo")

    def test_without_it_the_default_model_has_every_size(self, catalogue: Catalogue) -> None:
        choice = choose(DenoiseQuery(), catalogue)
        assert choice.model is not None
        assert choice.model.name == "digits"

    def test_it_can_be_the_default(self, catalogue: Catalogue) -> None:
        choice = choose(DenoiseQuery(), open_store(catalogue.store, default="auto"))
        assert (choice.small.model.name, choice.large.model.name) == ("digits", "photo")

    def test_fitting_as_mnist_makes_every_picture_small(self, catalogue: Catalogue) -> None:
        choice = choose(DenoiseQuery(model="auto", fit="mnist"), catalogue)
        assert choice.small == choice.large
        assert (choice.large.model.name, choice.large.fit) == ("digits", "mnist")

    def test_each_model_gets_the_parameters_that_it_can_use(self, catalogue: Catalogue) -> None:
        query = DenoiseQuery(
            model="auto", fit="pad", output_size="model", polarity="dark-on-light", noise_level=51, strength=0.5,
            bit_depth="16", color="gray", quality=70,
        )  # fmt: skip
        choice = choose(query, catalogue)
        assert choice.small == Options(choice.small.model, fit="pad", polarity="dark-on-light", quality=70)
        assert choice.large == Options(
            choice.large.model, noise_level=0.2, strength=0.5, bit_depth="16", keeps_color=False, quality=70
        )

    def test_the_original_size_is_for_both(self, catalogue: Catalogue) -> None:
        choice = choose(DenoiseQuery(model="auto", output_size="original"), catalogue)
        assert choice.small.to_source
        assert choice.large.to_source

    @pytest.mark.parametrize("default", [None, "auto"])
    def test_a_version_needs_a_model(self, catalogue: Catalogue, default: str | None) -> None:
        query = DenoiseQuery(model=None if default else "auto", version=1)
        with pytest.raises(InvalidParameterError, match="version=1: name the model, too") as refusal:
            choose(query, open_store(catalogue.store, default=default))
        assert refusal.value.parameter == "version"

    @pytest.mark.parametrize("query", [{"noise_level": 80}, {"bit_depth": "16", "format": "jpeg"}], ids=str)
    def test_a_value_that_no_model_can_use_is_refused(self, catalogue: Catalogue, query: dict[str, Any]) -> None:
        with pytest.raises(InvalidParameterError):
            choose(DenoiseQuery(model="auto", **query), catalogue)
