"""What the routes get handed: aliases over what the lifespan made, and what the request's headers ask for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request

from app.admission import Admission
from app.answers import MEDIA_TYPES
from app.batching import Batcher
from app.errors import InvalidParameterError, NotAcceptableError
from app.metadata import ModelKey
from app.metrics import Metrics
from app.model_store import Catalogue
from app.negotiation import choose_media_type
from app.pipeline import Pipeline
from app.schemas import DenoiseQuery

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


async def _media_type(request: Request) -> str:
    chosen = choose_media_type(", ".join(request.headers.getlist("accept"))[:MAX_ACCEPT], MEDIA_TYPES)
    if chosen is None:
        msg = f"The answer can be {' or '.join(MEDIA_TYPES)}; the request accepts neither."
        raise NotAcceptableError(msg, names=MEDIA_TYPES)
    return chosen


async def _query(request: Request, query: Annotated[DenoiseQuery, Query()]) -> DenoiseQuery:
    for name in request.query_params:
        if len(request.query_params.getlist(name)) > 1:
            msg = f"{name} is given more than once."
            raise InvalidParameterError(msg, parameter=name)
    return query


ServiceDep = Annotated[Service, Depends(_service)]
AcceptedMediaType = Annotated[str, Depends(_media_type)]
DenoiseQueryDep = Annotated[DenoiseQuery, Depends(_query)]
