"""Many pictures in, the clean ones out."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import PurePosixPath
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.errors import DeadlineExceededError
from app.inference.metadata import ModelMetadata
from app.processing.admission import Slot
from app.processing.batch import RETRY_AFTER_S, Batch, Process
from app.processing.options import choose_options
from app.telemetry.request_log import add_to_record
from app.telemetry.timing import StageTimer
from app.web.dependencies import DenoiseQueryDep, Service, ServiceDep, accepted_media_type
from app.web.openapi import BATCH_REQUEST, BATCH_RESPONSES, problem_responses
from app.web.requests.batch_uploads import read_files
from app.web.requests.multipart import Part
from app.web.responses.batch import MEDIA_TYPES, ZIP, write_json, write_zip
from app.web.responses.picture import Answer
from app.web.responses.streaming import StreamedResponse
from app.web.schemas import BatchSummary, ModelReference, Problem

router = APIRouter(prefix="/v1", tags=["denoise"])


async def _media_type(request: Request) -> str:
    return accepted_media_type(request.scope, MEDIA_TYPES)


async def _slot(service: ServiceDep) -> AsyncIterator[Slot]:
    """Hold a slot until the answer has been sent."""
    with await service.admission.admit() as slot, service.metrics.in_work():
        yield slot


@router.post(
    "/denoise/batch",
    summary="Denoise many pictures",
    response_class=Response,
    responses=BATCH_RESPONSES | problem_responses(400, 404, 406, 413, 422, 429, 500, 503),
    openapi_extra=BATCH_REQUEST,
)
async def denoise_batch(
    request: Request,
    query: DenoiseQueryDep,
    media_type: Annotated[str, Depends(_media_type)],
    service: ServiceDep,
    slot: Annotated[Slot, Depends(_slot)],
) -> Response:
    """Send the pictures as parts `files` of a form; one that cannot be denoised fails alone, with its reason."""
    timer = StageTimer()
    model = service.catalogue.find(query.model, query.version)
    options = choose_options(query, model)
    with timer.stage("read"):
        files = await _read(request, service)
    process = Process(service.pipeline, service.batchers[model.key], model, options)
    outcomes = Batch(process, slot, timeout_s=service.request_timeout_s).denoise(files)
    tally = _Tally(request, service, model, timer)
    return StreamedResponse(
        (write_zip if media_type == ZIP else write_json)(outcomes, tally),
        media_type=media_type,
        headers={
            "X-Model-Name": model.name,
            "X-Model-Version": str(model.version),
            "Content-Disposition": f'attachment; filename="denoised{".zip" if media_type == ZIP else ".json"}"',
        },
        timeout_s=service.request_timeout_s,
    )


async def _read(request: Request, service: Service) -> list[Part]:
    try:
        async with asyncio.timeout(service.request_timeout_s):
            return await read_files(request, max_files=service.max_batch_files)
    except TimeoutError:
        msg = f"The pictures did not arrive within {service.request_timeout_s:g} seconds."
        raise DeadlineExceededError(msg, retry_after_s=RETRY_AFTER_S) from None


class _Tally:
    """Counts a batch's items for its summary, the metrics and the log."""

    def __init__(self, request: Request, service: Service, model: ModelMetadata, timer: StageTimer) -> None:
        self._scope = request.scope
        self._metrics = service.metrics
        self._model = model
        self._timer = timer
        self._succeeded = self._failed = 0
        add_to_record(self._scope, model=model.name, version=model.version)

    def count_answer(self, answer: Answer) -> None:
        self._succeeded += 1
        self._metrics.observe_picture(self._model.name, batch_size=answer.batch_size, timing_ms=answer.milliseconds)

    def count_problem(self, problem: Problem) -> None:
        self._failed += 1
        self._metrics.observe_problem(PurePosixPath(problem.type).name)

    def summary(self) -> BatchSummary:
        times = self._timer.milliseconds()
        timing_ms = {name: times[name] for name in ("read", "total")}
        self._metrics.observe_stage("read", times["read"])
        add_to_record(self._scope, succeeded=self._succeeded, failed=self._failed)
        return BatchSummary(
            model=ModelReference(name=self._model.name, version=self._model.version),
            succeeded=self._succeeded,
            failed=self._failed,
            timing_ms=timing_ms,
        )
