"""POST /v1/denoise: one picture in, the denoised one out."""

from functools import partial

from fastapi import APIRouter, Request, Response

from app.processing.pixel_budget import Reservation
from app.telemetry.request_log import add_to_record
from app.telemetry.timing import StageTimer
from app.web.access import caller_of
from app.web.connection import watch_connection
from app.web.dependencies import AcceptedMediaType, DenoiseQueryDep, ServiceDep
from app.web.middleware.direct_route import DirectRoute
from app.web.openapi import IMAGE_REQUEST, IMAGE_RESPONSES, problem_responses
from app.web.requests.negotiation import FORMATS, accepted_media_type, picture_types
from app.web.requests.query import choose, parse_query
from app.web.requests.uploads import read_upload
from app.web.responses.picture import log_fields, to_response

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
    """Send the picture in the part `file` of a form, or as the body itself; the content decides the format."""
    timer = StageTimer()
    with timer.stage("queue"):
        slot = await service.admission.admit(caller_of(request.scope))
    with (
        slot,
        service.metrics.in_work(),
        service.networks.hold() as snapshot,
        Reservation(service.pixel_budget) as reservation,
    ):
        async with service.deadline() as deadline:

            async def reserve(pixels: int) -> None:
                deadline.extend_for(pixels)
                await reservation.reserve(pixels)

            with timer.stage("read"):
                upload, fields = await read_upload(request)
            if fields:
                query = parse_query(request.scope["query_string"], fields)
                media_type = accepted_media_type(request.scope, picture_types(query.format))
            choice = choose(query, snapshot.catalogue, accepted=FORMATS.get(media_type, "png"))
            denoised = await service.process(snapshot, choice).denoise(
                upload,
                timer=timer,
                reserve=reserve,
                watch=partial(watch_connection, request.scope, request.receive),
            )
    add_to_record(request.scope, **log_fields(denoised))
    return to_response(denoised, media_type)
