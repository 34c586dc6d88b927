"""Put the service together: create_app creates everything, importing this module creates nothing."""

import gc
import logging
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypedDict

import numpy as np
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from app import __version__
from app.cpu_quota import available_cpus
from app.imaging.png import encode_png
from app.inference.batching import BATCH_SIZES, Batcher, create_batcher
from app.inference.denoiser import Loader
from app.inference.metadata import ModelKey
from app.inference.model_store import load_model, open_store
from app.inference.runtimes import create_loader
from app.processing.admission import Admission
from app.processing.decoders import Decoders, ImageDecoder
from app.processing.picture import Upload
from app.processing.pixel_budget import PIXEL_BUDGET, PixelBudget, Reservation
from app.settings import Settings
from app.telemetry.metrics import Metrics
from app.telemetry.request_log import REQUEST_ID_HEADER, RequestTelemetry
from app.telemetry.timing import StageTimer
from app.web.application import Application
from app.web.dependencies import Service
from app.web.middleware.body_limit import BodyLimit
from app.web.middleware.direct_route import DirectRoutes
from app.web.middleware.head import HeadAsGet
from app.web.pages import routes as pages
from app.web.pages.swagger import swagger_assets
from app.web.requests.query import choose_options
from app.web.responses.problems import add_error_handlers, answer_internal_error
from app.web.routes import batch, denoise, models, probes
from app.web.schemas import DenoiseQuery

EXPOSED_HEADERS = (
    "Content-Disposition", "Retry-After", "Server-Timing", "X-Batch-Size", "X-Input-Size", "X-Model-Name",
    "X-Model-Version", "X-Noise-Level", "X-Polarity", REQUEST_ID_HEADER,
)  # fmt: skip

BLANK_PNM = b"P5 1 1 255 \0"  # always decoded apart

logger = logging.getLogger(__name__)


class State(TypedDict):
    """What the lifespan passes to every request."""

    service: Service


def create_app(
    settings: Settings,
    *,
    load: Loader | None = None,
    admission: Admission | None = None,
    decoders: ImageDecoder | None = None,
) -> FastAPI:
    """Create the application.

    Args:
        settings: all settings; the environment is not read again.
        load: how to load a version's folder; by default, with TensorFlow.
        admission: passed by a server that drains before it stops; by default, a new one.
        decoders: decode what is not small and plain; by default, processes.
    """
    admission = admission or Admission(slots=settings.queue_size)
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[State]:
        async with AsyncExitStack() as stack:
            yield State(service=await _start(settings, load, admission, decoders, metrics, stack))

    app = Application(
        title="denoiser",
        summary="Send a noisy picture, get a clean one back, with the time that every step took.",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # FastAPI would look for exporters on every request; /metrics and the log are our own.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    for router in (denoise.router, batch.router, models.router, probes.router, pages.router):
        app.router.routes.extend(router.routes)  # include_router would match each request twice
    app.mount("/docs/assets", swagger_assets())
    app.mount("/static", pages.static_files)
    add_error_handlers(app)
    _add_middleware(app, settings, metrics)
    return app


def _add_middleware(app: FastAPI, settings: Settings, metrics: Metrics) -> None:
    """Add the middleware, innermost first."""
    app.add_middleware(HeadAsGet)
    app.add_middleware(DirectRoutes, routes=app.routes)
    app.add_middleware(BodyLimit, max_bytes=settings.max_upload_bytes)
    app.add_middleware(RequestTelemetry, error_response=answer_internal_error, observe=metrics.observe)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            expose_headers=EXPOSED_HEADERS,
        )


async def _start(
    settings: Settings,
    load: Loader | None,
    admission: Admission,
    decoders: ImageDecoder | None,
    metrics: Metrics,
    stack: AsyncExitStack,
) -> Service:
    """Load and warm every model; ``stack`` stops what was started, in reverse order."""
    catalogue = open_store(settings.model_store, default=settings.default_model)
    if decoders is None:
        decoders = await stack.enter_async_context(Decoders(settings.decoders, max_pixels=settings.max_pixels))
    load = load or create_loader(settings.precision)
    pool = stack.enter_context(ThreadPoolExecutor(available_cpus(), thread_name_prefix="images"))
    avif_pool = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="avif"))
    batchers: dict[ModelKey, Batcher] = {}
    for metadata in catalogue:
        denoiser = load_model(catalogue.store, metadata, load, warm_up_batches=BATCH_SIZES)
        batchers[metadata.key] = create_batcher(denoiser, metadata, threads=settings.inference_threads)
        stack.push_async_callback(batchers[metadata.key].close)
        metrics.set_model(metadata.name, metadata.version)
        logger.info("model ready", extra={"fields": {"model": metadata.name, "version": metadata.version}})
    service = Service(
        catalogue=catalogue,
        batchers=batchers,
        admission=admission,
        pixel_budget=PixelBudget(PIXEL_BUDGET * settings.max_pixels, retry_after_s=admission.retry_after_s),
        metrics=metrics,
        pool=pool,
        avif_pool=avif_pool,
        decoders=decoders,
        max_pixels=settings.max_pixels,
        request_timeout_s=settings.request_timeout_s,
        max_batch_files=settings.max_batch_files,
    )
    await _warm_up(service)
    gc.collect()
    gc.freeze()  # or each collection would traverse what lives as long as the process, TensorFlow above all
    return service


async def _warm_up(service: Service) -> None:
    """Denoise a blank picture with every model, so that no client pays for what Pillow and TensorFlow do only once."""
    blank = Upload(encode_png(np.zeros((28, 28), np.uint8)), None)
    with Reservation(service.pixel_budget) as reservation:
        await service.decoders.decode(BLANK_PNM, backdrop=0, keeps_color=False, reserve=reservation.reserve)
    for metadata in service.catalogue:
        process = service.process(choose_options(DenoiseQuery(), metadata))
        with Reservation(service.pixel_budget) as reservation:
            await process.denoise(blank, timer=StageTimer(), reserve=reservation.reserve)
