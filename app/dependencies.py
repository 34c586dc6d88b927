"""What the routes get handed: aliases over what the lifespan made, and what the request's headers ask for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from app.admission import Admission
from app.answers import MEDIA_TYPES
from app.batching import Batcher
from app.errors import NotAcceptableError
from app.metadata import ModelKey
from app.metrics import Metrics
from app.model_store import Catalogue
from app.negotiation import choose_media_type
from app.pipeline import Pipeline


@dataclass(frozen=True)
class Service:
    """Everything that a request may need, made by the lifespan."""

    catalogue: Catalogue
    batchers: Mapping[ModelKey, Batcher]
    admission: Admission
    metrics: Metrics
    pipeline: Pipeline
    request_timeout_s: float


async def _service(request: Request) -> Service:
    service: Service = request.state.service
    return service


async def _media_type(request: Request) -> str:
    chosen = choose_media_type(", ".join(request.headers.getlist("accept")), MEDIA_TYPES)
    if chosen is None:
        msg = f"The answer can be {' or '.join(MEDIA_TYPES)}; the request accepts neither."
        raise NotAcceptableError(msg, names=MEDIA_TYPES)
    return chosen


ServiceDep = Annotated[Service, Depends(_service)]
AcceptedMediaType = Annotated[str, Depends(_media_type)]
