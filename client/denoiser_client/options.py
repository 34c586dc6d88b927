"""The parameters of the service, as keywords."""

from typing import Literal, TypedDict


class Options(TypedDict, total=False):
    """What to do with a picture; ``docs/api.md`` of the service explains each, and which network can use it."""

    model: str
    version: int
    fit: Literal["stretch", "pad", "mnist"]
    polarity: Literal["auto", "light-on-dark", "dark-on-light"]
    output_size: Literal["model", "original"]
    noise_level: float | Literal["auto"]
    strength: float
    bit_depth: Literal["8", "16", "same"]
    color: Literal["keep", "gray"]
    format: Literal["png", "jpeg", "webp", "avif"]
    quality: int


def to_query(options: Options) -> dict[str, str]:
    """Return the query of a request; without a model or a version, the model is chosen by the size of the picture."""
    query = {name: str(value) for name, value in options.items() if value is not None}
    return query if {"model", "version"} & query.keys() else {"model": "auto", **query}
