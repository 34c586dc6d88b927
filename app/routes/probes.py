"""Is the process up, is it ready, and how is it doing."""

from fastapi import APIRouter, Response

from app.dependencies import ServiceDep
from app.errors import NotReadyError
from app.metrics import MEDIA_TYPE
from app.schemas import Status

router = APIRouter(tags=["operations"])


@router.get("/livez", summary="The process is up")
async def livez() -> Status:
    """Answer 200 as long as the process can answer at all."""
    return Status(status="live")


@router.get("/readyz", summary="Models are loaded and warm, and the service is not draining")
async def readyz(service: ServiceDep) -> Status:
    """Answer 200 where requests are welcome, else 503."""
    if service.admission.is_draining:
        msg = "The service is shutting down."
        raise NotReadyError(msg, retry_after_s=5)
    return Status(status="ready")


@router.get("/metrics", summary="Counters for Prometheus", response_class=Response)
async def metrics(service: ServiceDep) -> Response:
    """Answer in Prometheus' text format, for all processes of the service."""
    return Response(service.metrics.render(), media_type=MEDIA_TYPE)
