"""What the routes get handed: aliases over what the lifespan made, and what the request's headers ask for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import QueryParams
from starlette.types import Scope

from app.errors import InvalidParameterError, NotAcceptableError
from app.inference.batching import Batcher
from app.inference.metadata import ModelKey
from app.inference.model_store import Catalogue
from app.processing.admission import Admission
from app.processing.pipeline import Pipeline
from app.telemetry.metrics import Metrics
from app.web.requests.negotiation import choose_media_type
from app.web.responses.picture import MEDIA_TYPES
from app.web.schemas import DenoiseQuery

MAX_ACCEPT = 1000  # characters that count; browsers send a hundred


@dataclass(frozen=True)
class Service:
    """Everything that a request may need, made by the lifespan."""

    catalogue: Catalogue
    batchers: Mapping[ModelKey, Batcher]
    admission: Admission
    metrics: Metrics
    pipeline: Pipeline
    request_timeout_s: float
    max_batch_files: int


async def _service(request: Request) -> Service:
    service: Service = request.state.service
    return service


def accepted_media_type(scope: Scope, offered: Sequence[str] = MEDIA_TYPES) -> str:
    """Give the one of the media types offered that the client likes best.

    Raises:
        NotAcceptableError: it accepts none of them.
    """
    accept = b", ".join([value for name, value in scope["headers"] if name == b"accept"])
    chosen = choose_media_type(accept[:MAX_ACCEPT].decode("latin-1"), offered)
    if chosen is None:
        msg = f"The answer can be {' or '.join(offered)}; the request accepts neither."
        raise NotAcceptableError(msg, names=offered)
    return chosen


@lru_cache(maxsize=256)  # clients repeat themselves, and a query takes longer to check than to look up
def parse_query(query_string: bytes) -> DenoiseQuery:
    """Read the query of a denoise call.

    Raises:
        RequestValidationError: a parameter is unknown, or its value is not allowed.
        InvalidParameterError: a parameter is given more than once.
    """
    parameters = QueryParams(query_string)
    try:
        query = DenoiseQuery.model_validate(dict(parameters))
    except ValidationError as error:
        raise RequestValidationError([{**e, "loc": ("query", *e["loc"])} for e in error.errors()]) from None
    for name in parameters:
        if len(parameters.getlist(name)) > 1:
            msg = f"{name} is given more than once."
            raise InvalidParameterError(msg, parameter=name)
    return query


async def _media_type(request: Request) -> str:
    return accepted_media_type(request.scope)


async def _query(request: Request, _described: Annotated[DenoiseQuery, Query()]) -> DenoiseQuery:
    return parse_query(request.scope["query_string"])


ServiceDep = Annotated[Service, Depends(_service)]
AcceptedMediaType = Annotated[str, Depends(_media_type)]
DenoiseQueryDep = Annotated[DenoiseQuery, Depends(_query)]
