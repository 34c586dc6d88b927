"""One picture in, the clean one out."""

import asyncio
from functools import partial

from fastapi import APIRouter, Request, Response

from app.errors import ClientGoneError, DeadlineExceededError
from app.inference.batching import Denoised
from app.processing.options import choose_options
from app.telemetry.request_log import add_to_record
from app.telemetry.timing import StageTimer
from app.web.connection import watch_connection
from app.web.dependencies import AcceptedMediaType, DenoiseQueryDep, ServiceDep
from app.web.middleware.direct_route import DirectRoute
from app.web.openapi import IMAGE_REQUEST, IMAGE_RESPONSES, problem_responses
from app.web.requests.uploads import read_upload
from app.web.responses.picture import Answer

RETRY_AFTER_S = 1  # what made one request late is usually over a second later

router = APIRouter(prefix="/v1", tags=["denoise"], route_class=DirectRoute)


@router.post(
    "/denoise",
    summary="Denoise one picture",
    response_class=Response,
    responses=IMAGE_RESPONSES | problem_responses(400, 404, 406, 413, 415, 422, 429, 500, 503),
    openapi_extra=IMAGE_REQUEST,
)
async def denoise(
    request: Request, query: DenoiseQueryDep, media_type: AcceptedMediaType, service: ServiceDep
) -> Response:
    """Send the picture as the part `file` of a form, or as the body itself; the content decides its format."""
    timer = StageTimer()
    with timer.stage("queue"):
        slot = await service.admission.admit()
    with slot, service.metrics.in_work():
        model = service.catalogue.find(query.model, query.version)
        options = choose_options(query, model)
        try:
            async with asyncio.timeout(service.request_timeout_s):
                with timer.stage("read"):
                    upload = await read_upload(request)
                with timer.stage("decode"):
                    picture = await service.pipeline.decode(upload.data, options, slot=slot)
                batcher = service.batchers[model.key]
                waiting = service.pipeline.submit(picture, options, model=model, batcher=batcher)
                with watch_connection(request.scope, request.receive, partial(_drop, waiting)):
                    denoised = await waiting
                timer.add("queue", seconds=denoised.queue_s)
                timer.add("infer", seconds=denoised.infer_s)
                with timer.stage("encode"):
                    encoded = await service.pipeline.encode(denoised, picture, options)
        except TimeoutError:
            msg = f"The picture could not be denoised within {service.request_timeout_s:g} seconds."
            raise DeadlineExceededError(msg, retry_after_s=RETRY_AFTER_S) from None
    answer = Answer(encoded, picture, model, denoised.batch_size, timer.milliseconds(), upload.filename)
    add_to_record(request.scope, **answer.log_fields())
    return answer.response(media_type)


def _drop(waiting: "asyncio.Future[Denoised]") -> None:
    """End the wait of a client that has left, and with it the picture's place in the queue."""
    if not waiting.done():
        waiting.set_exception(ClientGoneError("The client closed the connection."))
