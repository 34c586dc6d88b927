"""Read and check the query of a denoise call, and turn it into options for the model that it names."""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from pydantic import ValidationError

from app.errors import MAX_ECHO, InvalidParameterError
from app.imaging.encode import DEFAULT_QUALITY, MEDIA_TYPES, OutputFormat
from app.imaging.samples import WHITE_8
from app.inference.metadata import AUTO, ModelMetadata
from app.inference.model_store import Catalogue
from app.processing.options import Choice, Options
from app.web.schemas import DenoiseQuery

Fields = tuple[tuple[str, str], ...]  # names and values


@lru_cache(maxsize=256)  # clients repeat their queries, and checking one takes longer than a look-up
def parse_query(query_string: bytes, fields: Fields = ()) -> DenoiseQuery:
    """Read a query, and the fields of a form that say more.

    Raises:
        InvalidParameterError: a parameter is unknown, is given more than once, in either or in both, or has a value
            that is not allowed.
    """
    pairs = [*parse_qsl(query_string.decode("latin-1"), keep_blank_values=True), *fields]
    parameters = dict(pairs)
    try:
        query = DenoiseQuery.model_validate(parameters)
    except ValidationError as error:
        problem = error.errors()[0]
        raise invalid_parameter(str(problem["loc"][0]), problem) from None
    names = [name for name, _ in pairs]
    for name in parameters:
        if names.count(name) > 1:
            where = ", in the query and the form together" if fields else ""
            raise InvalidParameterError(f"{name} is given more than once{where}.", parameter=name)
    return query


def invalid_parameter(name: str, problem: Mapping[str, Any]) -> InvalidParameterError:
    """Return the error for a parameter in which pydantic found a problem."""
    name = name[:MAX_ECHO]
    if problem["type"] == "extra_forbidden":
        known = sorted(DenoiseQuery.model_fields)
        meant = get_close_matches(name.lower(), known, n=1)
        hint = f"; is {meant[0]!r} meant?" if meant else "."
        return InvalidParameterError(f"There is no parameter {name!r}{hint}", parameter=name, names=known)
    given = str(problem["input"])[:MAX_ECHO]
    return InvalidParameterError(f"{name}: {problem['msg']}, not {given!r}.", parameter=name)


@lru_cache(maxsize=256)  # likewise; old entries keep the metadata of versions that have left the store
def choose(query: DenoiseQuery, catalogue: Catalogue, *, accepted: OutputFormat = "png") -> Choice:
    """Choose the network and fill in its defaults; for ``auto``, both depend on the size of the picture.

    With ``auto``, parameters that the network cannot use are ignored.

    Args:
        query: what the client asks for.
        catalogue: the networks.
        accepted: the format of the result, if the query names none.

    Raises:
        ModelNotFoundError: there is no such model or version.
        InvalidParameterError: the query has a version beside ``auto``, or a parameter that the network or the format
            cannot use.
    """
    if query.model == AUTO or (query.model is None and catalogue.chooses_by_size):
        if query.version is not None:
            raise InvalidParameterError(
                f"version={query.version}: name the model, too; {AUTO} chooses the highest version of a model.",
                parameter="version",
            )
        small = catalogue.find(None, None)
        large = small if query.fit == "mnist" else catalogue.find_for_large()
        return Choice(
            *(choose_options(_keep_useful(query, model), model, accepted=accepted) for model in (small, large))
        )
    model = catalogue.find(query.model, query.version)
    return Choice.always(choose_options(query, model, accepted=accepted))


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
    for parameter, reason in _find_useless(query, model).items():
        value = getattr(query, parameter)
        shown = f"{value:g}" if isinstance(value, float) else value
        raise InvalidParameterError(
            f"{parameter}={shown} has no meaning for the model {model.name!r}, which {reason}.", parameter=parameter
        )
    if query.bit_depth == "16" and output_format != "png":
        raise InvalidParameterError(
            f"bit_depth=16: results of 16 bits are PNGs only, not {MEDIA_TYPES[output_format]}.", parameter="bit_depth"
        )
    return Options(
        model=model,
        fit=query.fit or "stretch",
        polarity=query.polarity or "auto",
        to_source=query.output_size == "original",
        noise_level=_read_noise_level(query, model),
        strength=1.0 if query.strength is None else query.strength,
        bit_depth=query.bit_depth or "8",
        keeps_color=model.input.size is None and query.color != "gray",
        format=output_format,
        quality=query.quality or DEFAULT_QUALITY,
    )


def _read_noise_level(query: DenoiseQuery, model: ModelMetadata) -> float | None:
    known = model.noise_level
    if known is None or query.noise_level is None or query.noise_level == "auto":
        return None
    lowest, highest = known.min * WHITE_8, known.max * WHITE_8
    if not lowest <= query.noise_level <= highest:
        raise InvalidParameterError(
            f"noise_level: the model {model.name!r} takes {lowest:g} to {highest:g}, not {query.noise_level:g}.",
            parameter="noise_level",
        )
    return abs(query.noise_level) / WHITE_8  # since -0 passes the check


def _find_useless(query: DenoiseQuery, model: ModelMetadata) -> dict[str, str]:
    """Return the parameters of the query that the network cannot use, with the reasons."""
    if model.input.size is None:
        reasons = dict.fromkeys(("fit", "output_size"), "takes pictures of any size")
    else:
        reasons = dict.fromkeys(("bit_depth", "color"), "takes pictures of one size")
    if model.input.polarity is None:
        reasons["polarity"] = "works with either polarity"
    if model.noise_level is None:
        reasons |= dict.fromkeys(("noise_level", "strength"), "does not take a noise level")
    asked_original = query.output_size == "original"  # which every network can do
    return {
        name: reason
        for name, reason in reasons.items()
        if getattr(query, name) is not None and not (name == "output_size" and asked_original)
    }


def _keep_useful(query: DenoiseQuery, model: ModelMetadata) -> DenoiseQuery:
    return query.model_copy(update=dict.fromkeys(_find_useless(query, model)))
