"""Probes and metrics: is the process up, is it ready, and how is it doing."""

from fastapi import APIRouter, Response

from app.telemetry.metrics import MEDIA_TYPE
from app.web.dependencies import ServiceDep
from app.web.openapi import problem_responses
from app.web.schemas import Status

router = APIRouter(tags=["operations"])


@router.get("/livez", summary="The process is up")
async def livez() -> Status:
    """Return 200 as long as the process responds at all."""
    return Status(status="live")


@router.get(
    "/readyz", summary="Models are loaded and warm, and the service is not draining", responses=problem_responses(503)
)
async def readyz(service: ServiceDep) -> Status:
    """Return 200 while the service takes requests, else 503."""
    service.admission.refuse_if_draining()
    return Status(status="ready")


@router.get(
    "/metrics",
    summary="Counters for Prometheus",
    response_class=Response,
    responses={200: {"description": "The metrics.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(service: ServiceDep) -> Response:
    """Return the metrics in Prometheus' text format, for all processes of the service."""
    return Response(service.metrics.render(), media_type=MEDIA_TYPE)
