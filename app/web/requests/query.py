"""Read and check the query of a denoise call, and turn it into options for the model that it names."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from pydantic import ValidationError

from app.errors import MAX_ECHO, InvalidParameterError
from app.imaging.encode import DEFAULT_QUALITY, MEDIA_TYPES, OutputFormat
from app.imaging.samples import WHITE_8
from app.inference.metadata import ModelMetadata, NoiseLevelRange
from app.processing.options import Options
from app.web.schemas import DenoiseQuery


@lru_cache(maxsize=256)  # clients repeat their queries, and checking one takes longer than a look-up
def parse_query(query_string: bytes) -> DenoiseQuery:
    """Read a query.

    Raises:
        InvalidParameterError: a parameter is unknown, is given more than once, or has a value that is not allowed.
    """
    pairs = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True)
    parameters = dict(pairs)
    try:
        query = DenoiseQuery.model_validate(parameters)
    except ValidationError as error:
        problem = error.errors()[0]
        raise invalid_parameter(str(problem["loc"][0]), problem) from None
    names = [name for name, _ in pairs]
    for name in parameters:
        if names.count(name) > 1:
            raise InvalidParameterError(f"{name} is given more than once.", parameter=name)
    return query


def invalid_parameter(name: str, problem: Mapping[str, Any]) -> InvalidParameterError:
    """Return the error for a parameter in which pydantic found a problem."""
    name = name[:MAX_ECHO]
    if problem["type"] == "extra_forbidden":
        return InvalidParameterError(f"There is no parameter {name!r}.", parameter=name)
    given = str(problem["input"])[:MAX_ECHO]
    return InvalidParameterError(f"{name}: {problem['msg']}, not {given!r}.", parameter=name)


def choose_options(query: DenoiseQuery, model: ModelMetadata, *, accepted: OutputFormat = "png") -> Options:
    """Fill in the defaults for a network.

    Args:
        query: what the client asks for.
        model: the network.
        accepted: the format of the result, if the query names none.

    Raises:
        InvalidParameterError: the query has a parameter that the network or the format cannot use.
    """
    output_format = query.format or accepted
    if model.input.size is None:
        _refuse("fit", query.fit, "takes pictures of any size")
        if query.output_size == "model":
            _refuse("output_size", query.output_size, "takes pictures of any size")
    else:
        _refuse("bit_depth", query.bit_depth, "takes pictures of one size")
        _refuse("color", query.color, "takes pictures of one size")
    if model.input.polarity is None:
        _refuse("polarity", query.polarity, "works with either polarity")
    if model.noise_level is None:
        _refuse("noise_level", query.noise_level, "does not take a noise level")
        _refuse("strength", query.strength, "does not take a noise level")
    if query.bit_depth == "16" and output_format != "png":
        raise InvalidParameterError(
            f"bit_depth=16: results of 16 bits are PNGs only, not {MEDIA_TYPES[output_format]}.", parameter="bit_depth"
        )
    return Options(
        model=model,
        fit=query.fit or "stretch",
        polarity=query.polarity or "auto",
        to_source=query.output_size == "original",
        noise_level=_read_noise_level(query, model.noise_level),
        strength=1.0 if query.strength is None else query.strength,
        bit_depth=query.bit_depth or "8",
        keeps_color=model.input.size is None and query.color != "gray",
        format=output_format,
        quality=query.quality or DEFAULT_QUALITY,
    )


def _read_noise_level(query: DenoiseQuery, known: NoiseLevelRange | None) -> float | None:
    if known is None or query.noise_level is None or query.noise_level == "auto":
        return None
    lowest, highest = known.min * WHITE_8, known.max * WHITE_8
    if not lowest <= query.noise_level <= highest:
        raise InvalidParameterError(
            f"noise_level: the chosen model supports {lowest:g} to {highest:g}, not {query.noise_level:g}.",
            parameter="noise_level",
        )
    return abs(query.noise_level) / WHITE_8  # since -0 passes the check


def _refuse(parameter: str, value: str | float | None, reason: str) -> None:
    if value is not None:
        shown = f"{value:g}" if isinstance(value, float) else value
        raise InvalidParameterError(
            f"{parameter}={shown} has no meaning for the chosen model, which {reason}.", parameter=parameter
        )
