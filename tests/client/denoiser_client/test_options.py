import typing

from denoiser_client.options import Options, to_query

from app.web.schemas import DenoiseQuery


def test_the_options_are_the_parameters_of_the_service() -> None:
    assert typing.get_type_hints(Options).keys() == DenoiseQuery.model_fields.keys()


def test_a_query_names_auto_unless_it_names_a_model_or_a_version() -> None:
    assert to_query({"noise_level": 5.5}) == {"model": "auto", "noise_level": "5.5"}
    assert to_query({"version": 1}) == {"version": "1"}
    assert to_query({"model": "photo"}) == {"model": "photo"}
