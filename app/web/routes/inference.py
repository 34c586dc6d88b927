"""The Open Inference Protocol v2 over REST, for clients that send tensors: KServe's, Triton's, and others."""

from functools import partial

from fastapi import APIRouter, Request, Response

from app import __version__
from app.inference.metadata import ModelMetadata
from app.processing.pixel_budget import Reservation
from app.processing.steps import run_step
from app.processing.tensors import TensorProcess
from app.telemetry.request_log import add_to_record
from app.telemetry.timing import StageTimer, server_timing
from app.web.access import caller_of
from app.web.connection import watch_connection
from app.web.dependencies import Service, ServiceDep
from app.web.inference_schemas import (
    EXTENSION,
    INPUT,
    LEVEL,
    OUTPUT,
    Live,
    ModelDescription,
    ModelReady,
    Ready,
    ServerMetadata,
    TensorMetadata,
)
from app.web.openapi import INFERENCE_REQUEST, INFERENCE_RESPONSES, problem_responses
from app.web.requests.tensors import find_json_length, read_tensors
from app.web.requests.uploads import read_body
from app.web.responses.tensors import write_tensor

INLINE_BYTES = 2**16  # a body that is read without a thread, in less than a millisecond
PLATFORM = "tensorflow_savedmodel"

router = APIRouter(prefix="/v2", tags=["Open Inference Protocol"], responses=problem_responses(404, 422))


@router.get("", summary="Describe the server")
async def describe_inference_server() -> ServerMetadata:
    """Return the name of the server, its version, and the extensions of the protocol that it has."""
    return ServerMetadata(name="denoiser", version=__version__, extensions=[EXTENSION])


@router.get("/health/live", summary="The server is up")
async def is_server_live() -> Live:
    """Return 200 as long as the process responds at all."""
    return Live()


@router.get("/health/ready", summary="The server takes requests", responses=problem_responses(503))
async def is_server_ready(service: ServiceDep) -> Ready:
    """Return 200 while the service takes requests, else 503."""
    service.admission.refuse_if_draining()
    return Ready()


@router.get("/models/{name}", summary="Describe a model's tensors")
async def describe_tensors(name: str, service: ServiceDep) -> ModelDescription:
    """Describe what the highest version of a model takes and returns."""
    return _describe(service, name, None)


@router.get("/models/{name}/versions/{version}", summary="Describe a version's tensors")
async def describe_tensors_of_version(name: str, version: int, service: ServiceDep) -> ModelDescription:
    """Describe what a version of a model takes and returns."""
    return _describe(service, name, version)


@router.get("/models/{name}/ready", summary="A model takes requests", responses=problem_responses(503))
async def is_model_ready(name: str, service: ServiceDep) -> ModelReady:
    """Return 200 if a version of the model answers, else 404."""
    return _check_ready(service, name, None)


@router.get(
    "/models/{name}/versions/{version}/ready", summary="A version takes requests", responses=problem_responses(503)
)
async def is_version_ready(name: str, version: int, service: ServiceDep) -> ModelReady:
    """Return 200 if the version answers, else 404."""
    return _check_ready(service, name, version)


@router.post(
    "/models/{name}/infer",
    summary="Denoise a tensor",
    response_class=Response,
    responses=INFERENCE_RESPONSES | problem_responses(400, 413, 429, 500, 503),
    openapi_extra=INFERENCE_REQUEST,
)
async def infer(name: str, request: Request, service: ServiceDep) -> Response:
    """Denoise the images of a tensor, which share the networks' calls with pictures."""
    return await _infer(request, service, name, None)


@router.post(
    "/models/{name}/versions/{version}/infer",
    summary="Denoise a tensor with a version",
    response_class=Response,
    responses=INFERENCE_RESPONSES | problem_responses(400, 413, 429, 500, 503),
    openapi_extra=INFERENCE_REQUEST,
)
async def infer_with_version(name: str, version: int, request: Request, service: ServiceDep) -> Response:
    """Denoise the images of a tensor with one version of the model."""
    return await _infer(request, service, name, version)


async def _infer(request: Request, service: Service, name: str, version: int | None) -> Response:
    timer = StageTimer()
    with timer.stage("queue"):
        slot = await service.admission.admit(caller_of(request.scope))
    with (
        slot,
        service.metrics.in_work(),
        service.networks.hold() as snapshot,
        Reservation(service.pixel_budget) as reservation,
    ):
        model = snapshot.catalogue.find(name, version)
        json_length = find_json_length(request.headers)
        async with service.deadline() as deadline:
            with timer.stage("read"):
                body = await read_body(request.receive)
            limits = {"max_pixels": service.max_pixels, "max_images": service.max_batch_files}
            is_small = len(body) <= INLINE_BYTES
            with timer.stage("decode"):
                read = partial(read_tensors, body, json_length, model, **limits)
                tensors = await run_step(read, is_small=is_small, pool=service.pool)
            deadline.extend_for(tensors.pixels)
            await reservation.reserve(tensors.pixels_held)
            denoised = await TensorProcess(service.pool, snapshot.batchers[model.key], model).denoise(
                tensors.images,
                tensors.noise_levels,
                watch=partial(watch_connection, request.scope, request.receive),
            )
            timer.add("queue", seconds=denoised.queue_s)
            timer.add("infer", seconds=denoised.infer_s)
            write = partial(write_tensor, denoised.images, model, request_id=tensors.id, is_binary=tensors.is_binary)
            with timer.stage("encode"):
                response = await run_step(write, is_small=is_small, pool=service.pool)
    timing_ms = timer.timing_ms()
    response.headers["Server-Timing"] = server_timing(timing_ms)
    count, height, width, _ = tensors.images.shape
    add_to_record(
        request.scope, model=model.name, version=model.version, format="tensor", images=count, width=width,
        height=height, batch_size=denoised.batch_size, timing_ms=timing_ms,
    )  # fmt: skip
    return response


def _check_ready(service: Service, name: str, version: int | None) -> ModelReady:
    service.admission.refuse_if_draining()
    return ModelReady(name=service.networks.current.catalogue.find(name, version).name)


def _describe(service: Service, name: str, version: int | None) -> ModelDescription:
    catalogue = service.networks.current.catalogue
    model = catalogue.find(name, version)
    shape = _shape(model)
    levels = [] if model.noise_level is None else [TensorMetadata(name=LEVEL, shape=[-1])]
    return ModelDescription(
        name=name,
        versions=[str(known) for known in sorted(catalogue.models[name])],
        platform=PLATFORM,
        inputs=[TensorMetadata(name=INPUT, shape=shape), *levels],
        outputs=[TensorMetadata(name=OUTPUT, shape=shape)],
    )


def _shape(model: ModelMetadata) -> list[int]:
    height, width = model.input.size or (-1, -1)
    return [-1, height, width, model.input.channels]
