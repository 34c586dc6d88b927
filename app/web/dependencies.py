"""The arguments of the routes: the service that the lifespan made, and what the request asks for."""

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request

from app.access.keyring import Keyring
from app.inference.networks import Networks, Snapshot
from app.processing.admission import Admission
from app.processing.deadline import Deadline, Stop
from app.processing.decoders import ImageDecoder
from app.processing.options import Choice
from app.processing.pipeline import Process
from app.processing.pixel_budget import PixelBudget
from app.telemetry.metrics import Metrics
from app.web.requests.negotiation import accepted_media_type, picture_types
from app.web.requests.query import parse_query
from app.web.schemas import DenoiseQuery


@dataclass(frozen=True)
class Service:
    """Everything that a request may need, created by the lifespan."""

    networks: Networks
    admission: Admission
    stop: Stop
    pixel_budget: PixelBudget
    metrics: Metrics
    pool: Executor
    avif_pool: Executor
    decoders: ImageDecoder
    max_pixels: int
    request_timeout_s: float
    request_timeout_s_per_megapixel: float
    max_batch_files: int
    keyring: Keyring | None  # None where keys are off

    def deadline(self) -> Deadline:
        """Return the deadline of one picture, which starts when it is entered."""
        return Deadline(self.request_timeout_s, per_megapixel_s=self.request_timeout_s_per_megapixel, stop=self.stop)

    def process(self, snapshot: Snapshot, choice: Choice) -> Process:
        """Return the process that a picture goes through, with models of the snapshot."""
        return Process(self.pool, self.avif_pool, self.decoders, self.max_pixels, snapshot.batchers, choice)


async def _service(request: Request) -> Service:
    service: Service = request.state.service
    return service


async def _query(request: Request, _described: Annotated[DenoiseQuery, Query()]) -> DenoiseQuery:
    """Read the query. ``_described`` is only for /docs: parse_query also refuses repeated parameters, and caches."""
    return parse_query(request.scope["query_string"])


async def _media_type(request: Request, query: Annotated[DenoiseQuery, Depends(_query)]) -> str:
    return accepted_media_type(request.scope, picture_types(query.format))


ServiceDep = Annotated[Service, Depends(_service)]
AcceptedMediaType = Annotated[str, Depends(_media_type)]
DenoiseQueryDep = Annotated[DenoiseQuery, Depends(_query)]
