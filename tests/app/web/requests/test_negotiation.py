from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import NotAcceptableError
from app.imaging.encode import OutputFormat
from app.web.requests.negotiation import accepted_format, accepted_media_type, choose_media_type, picture_types

OFFERED = ("image/png", "application/json")


@pytest.mark.parametrize("accept", ["", "*/*", " , ", "image/*", "image/png"])
def test_the_preferred_type_is_chosen_if_it_is_acceptable(accept: str) -> None:
    assert choose_media_type(accept, OFFERED) == "image/png"


@pytest.mark.parametrize(
    "accept",
    ["application/json", "application/*", "text/html, application/json", "image/png;q=0, */*", "APPLICATION/JSON"],
)
def test_the_only_acceptable_type_is_chosen(accept: str) -> None:
    assert choose_media_type(accept, OFFERED) == "application/json"


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "*/*;q=0", "image/webp, text/*"])
def test_no_type_is_chosen_if_none_is_acceptable(accept: str) -> None:
    assert choose_media_type(accept, OFFERED) is None


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("image/png;q=0.5, application/json", "application/json"),
        ("image/png;q=0.5, application/json;q=0.4", "image/png"),
        ("image/png ; q=0.5 , application/json ; q = 0.6", "application/json"),
        ("application/json, image/png", "image/png"),
    ],
)
def test_the_higher_quality_wins_and_a_tie_goes_to_the_preferred(accept: str, expected: str) -> None:
    assert choose_media_type(accept, OFFERED) == expected


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("image/png;q=0.1, */*;q=0.9", "application/json"),
        ("image/png;q=0.1, image/*;q=0.9", "image/png"),
        ("image/*;q=0.1, */*;q=0.9", "application/json"),
        ("*/*;q=0.9, image/png;q=0", "application/json"),
    ],
)
def test_the_most_specific_range_counts(accept: str, expected: str) -> None:
    assert choose_media_type(accept, OFFERED) == expected


def test_other_parameters_do_not_matter() -> None:
    assert choose_media_type("application/json;charset=utf-8;q=0.9", OFFERED) == "application/json"


def test_a_quality_that_is_not_a_number_is_zero() -> None:
    assert choose_media_type("image/png;q=high, application/json;q=0.1", OFFERED) == "application/json"


def test_the_header_of_a_browser_gets_the_picture() -> None:
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
    assert choose_media_type(accept, OFFERED) == "image/png"


@pytest.mark.parametrize("quality", ["nan", "inf", "-1", "1e9"])
def test_a_quality_out_of_range_does_not_win(quality: str) -> None:
    assert choose_media_type(f"image/png;q={quality}, application/json;q=0.1", OFFERED) == "application/json"


RANGES = st.dictionaries(
    st.sampled_from([*OFFERED, "image/*", "application/*", "*/*", "text/html", "image/webp"]),
    st.integers(0, 1000).map(lambda thousandths: thousandths / 1000),
    min_size=1,
)


def quality(media_type: str, ranges: dict[str, float]) -> float:
    """Return the quality by the most specific range (RFC 9110, section 12.5.1)."""
    specific = [media_type, media_type.split("/")[0] + "/*", "*/*"]
    return next((ranges[name] for name in specific if name in ranges), 0)


@given(RANGES)
def test_no_other_type_has_a_higher_quality_than_the_chosen_one(ranges: dict[str, float]) -> None:
    chosen = choose_media_type(", ".join(f"{name};q={value}" for name, value in ranges.items()), OFFERED)
    best = max(quality(name, ranges) for name in OFFERED)
    if chosen is None:
        assert best == 0
    else:
        assert quality(chosen, ranges) == best > 0


@given(RANGES, st.randoms(use_true_random=False))
def test_order_case_and_spaces_do_not_matter(ranges: dict[str, float], random: Random) -> None:
    parts = [f"{name};q={value}" for name, value in ranges.items()]
    chosen = choose_media_type(",".join(parts), OFFERED)
    random.shuffle(parts)
    spaced = " ,\t".join(part.upper().replace(";", " ; ") for part in parts)
    assert choose_media_type(spaced, OFFERED) == chosen


@given(st.text(max_size=200))
def test_any_text_is_read(accept: str) -> None:
    assert choose_media_type(accept, OFFERED) in {*OFFERED, None}


def scope(*accept: str) -> dict[str, Any]:
    return {"headers": [(b"accept", value.encode()) for value in accept]}


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "image/png"),
        ("*/*", "image/png"),
        ("image/*", "image/png"),
        ("image/jpeg", "image/jpeg"),
        ("image/avif", "image/avif"),
        ("image/webp, image/png;q=0.9", "image/webp"),
        ("image/avif,image/webp,image/apng,*/*;q=0.8", "image/webp"),
        ("application/json", "application/json"),
        ("application/octet-stream", "application/octet-stream"),
        ("application/*", "application/json"),
    ],
)
def test_accept_chooses_the_format_of_a_picture(accept: str, expected: str) -> None:
    assert accepted_media_type(scope(accept), picture_types(None)) == expected


@pytest.mark.parametrize(
    ("asked", "accept", "expected"),
    [
        ("webp", "", "image/webp"),
        ("webp", "image/png, image/*;q=0.1", "image/webp"),
        ("jpeg", "application/json", "application/json"),
        ("png", "image/avif, */*;q=0.1", "image/png"),
    ],
)
def test_the_parameter_wins_where_accept_allows_it(asked: OutputFormat, accept: str, expected: str) -> None:
    assert accepted_media_type(scope(accept), picture_types(asked)) == expected


@pytest.mark.parametrize(("asked", "accept"), [("jpeg", "image/png"), ("png", "image/webp, image/png;q=0")])
def test_a_parameter_that_accept_does_not_allow_is_refused(asked: OutputFormat, accept: str) -> None:
    with pytest.raises(NotAcceptableError) as refusal:
        accepted_media_type(scope(accept), picture_types(asked))
    assert refusal.value.names == picture_types(asked)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ((), "png"),
        (("*/*",), "png"),
        (("application/zip",), "png"),
        (("application/zip, image/webp",), "webp"),
        (("application/zip", "image/jpeg;q=0.2, image/avif;q=0.3"), "avif"),
    ],
)
def test_image_types_beside_that_of_a_batch_choose_the_format_of_its_pictures(
    accept: tuple[str, ...], expected: str
) -> None:
    assert accepted_format(scope(*accept)) == expected
