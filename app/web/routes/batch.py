"""POST /v1/denoise/batch: many pictures in, a ZIP or JSON out."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import PurePosixPath
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.errors import DeadlineExceededError
from app.inference.metadata import AUTO, ModelMetadata
from app.inference.networks import Snapshot
from app.processing.batch import Batch
from app.processing.picture import DenoisedPicture, Upload
from app.telemetry.request_log import add_to_record
from app.telemetry.timing import StageTimer
from app.web.access import caller_of
from app.web.dependencies import DenoiseQueryDep, Service, ServiceDep
from app.web.openapi import BATCH_REQUEST, BATCH_RESPONSES, problem_responses
from app.web.requests.negotiation import JSON, accepted_format, accepted_media_type
from app.web.requests.query import Fields, choose, parse_query
from app.web.requests.uploads import read_uploads
from app.web.responses.batch import MEDIA_TYPES, write_json, write_zip
from app.web.responses.picture import to_reference
from app.web.responses.streaming import StreamedResponse
from app.web.schemas import BatchSummary, Problem

router = APIRouter(prefix="/v1", tags=["denoise"])


async def _media_type(request: Request) -> str:
    return accepted_media_type(request.scope, MEDIA_TYPES)


async def _hold_snapshot(request: Request, service: ServiceDep) -> AsyncIterator[Snapshot]:
    """Hold a slot and the networks until the response has been sent."""
    slot = await service.admission.admit(caller_of(request.scope))
    with slot, service.metrics.in_work(), service.networks.hold() as snapshot:
        yield snapshot


@router.post(
    "/denoise/batch",
    summary="Denoise many pictures",
    response_class=Response,
    responses=BATCH_RESPONSES | problem_responses(400, 404, 406, 413, 422, 429, 500, 503),
    openapi_extra=BATCH_REQUEST,
)
async def denoise_batch(
    request: Request,
    media_type: Annotated[str, Depends(_media_type)],
    query: DenoiseQueryDep,
    service: ServiceDep,
    snapshot: Annotated[Snapshot, Depends(_hold_snapshot)],
) -> Response:
    """Send the pictures in parts `files` of a form. One that cannot be denoised fails alone, with a reason."""
    timer = StageTimer(("read",))
    with timer.stage("read"):
        files, fields = await _read(request, service)
    if fields:
        query = parse_query(request.scope["query_string"], fields)
    choice = choose(query, snapshot.catalogue, accepted=accepted_format(request.scope))
    batch = Batch(service.process(snapshot, choice), service.pixel_budget, deadline=service.deadline)
    tally = _Tally(request, service, choice.model, timer)
    return StreamedResponse(
        (write_json if media_type == JSON else write_zip)(batch.denoise(files), tally),
        media_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="denoised{".json" if media_type == JSON else ".zip"}"'}
        | _model_headers(choice.model),
        timeout_s=service.request_timeout_s,
    )


async def _read(request: Request, service: Service) -> tuple[list[Upload], Fields]:
    try:
        async with asyncio.timeout(service.request_timeout_s):
            return await read_uploads(request, max_files=service.max_batch_files)
    except TimeoutError:
        raise DeadlineExceededError(
            f"The pictures did not arrive within {service.request_timeout_s:g} seconds."
        ) from None


def _model_headers(model: ModelMetadata | None) -> dict[str, str]:
    """Name the model if it is the same for all pictures, whatever their sizes; the manifest has that of each."""
    return {} if model is None else {"X-Model-Name": model.name, "X-Model-Version": str(model.version)}


class _Tally:
    """Counts the items of a batch for its summary, the metrics and the log."""

    def __init__(self, request: Request, service: Service, model: ModelMetadata | None, timer: StageTimer) -> None:
        self._scope = request.scope
        self._metrics = service.metrics
        self._model = model
        self._timer = timer
        self._succeeded = self._failed = 0
        if model is None:
            add_to_record(self._scope, model=AUTO)
        else:
            add_to_record(self._scope, model=model.name, version=model.version)

    def count_picture(self, denoised: DenoisedPicture) -> None:
        self._succeeded += 1
        self._metrics.observe_picture(denoised.model.name, batch_size=denoised.batch_size, timing_ms=denoised.timing_ms)

    def count_problem(self, problem: Problem) -> None:
        self._failed += 1
        self._metrics.observe_problem(PurePosixPath(problem.type).name)

    def summary(self) -> BatchSummary:
        timing_ms = self._timer.timing_ms()
        self._metrics.observe_stage("read", timing_ms["read"])
        add_to_record(self._scope, succeeded=self._succeeded, failed=self._failed)
        return BatchSummary(
            model=None if self._model is None else to_reference(self._model),
            succeeded=self._succeeded,
            failed=self._failed,
            timing_ms=timing_ms,
        )
