"""Put the application together: create_app creates everything, importing this module creates nothing."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypedDict

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from app import __version__
from app.inference.denoiser import Loader
from app.processing.admission import Admission
from app.processing.deadline import Stop
from app.processing.decoders import ImageDecoder
from app.settings import Settings
from app.startup import start_service
from app.telemetry.metrics import Metrics
from app.telemetry.request_log import REQUEST_ID_HEADER, RequestTelemetry
from app.web.application import Application
from app.web.dependencies import Service
from app.web.middleware.body_limit import BodyLimit
from app.web.middleware.direct_route import DirectRoutes
from app.web.middleware.head import HeadAsGet
from app.web.middleware.key_check import KeyCheck
from app.web.middleware.metrics_port import MetricsPort
from app.web.pages import routes as pages
from app.web.pages.swagger import swagger_assets
from app.web.responses.problems import add_error_handlers, answer_internal_error
from app.web.routes import batch, denoise, inference, models, probes

EXPOSED_HEADERS = (
    "Content-Disposition", "Retry-After", "Server-Timing", "WWW-Authenticate", "X-Batch-Size", "X-Input-Size",
    "X-Model-Name", "X-Model-Version", "X-Noise-Level", "X-Polarity", REQUEST_ID_HEADER, "traceparent",
)  # fmt: skip


class State(TypedDict):
    """What the lifespan passes to every request."""

    service: Service


def create_app(
    settings: Settings,
    *,
    load: Loader | None = None,
    admission: Admission | None = None,
    stop: Stop | None = None,
    decoders: ImageDecoder | None = None,
    skips_broken: bool = False,
) -> FastAPI:
    """Create the application.

    Args:
        settings: all settings; the environment is not read again.
        load: how to load a version's folder; by default, with the runtime of the settings.
        admission: passed by a server that drains before it stops; by default, a new one.
        stop: passed by a server that ends what is in work when it stops; by default, nothing does.
        decoders: decode what is not small and plain; by default, processes.
        skips_broken: start without the versions that are broken, as a process does that replaces another.
    """
    admission = admission or Admission(slots=settings.queue_size)
    stop = stop or Stop()
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[State]:
        async with AsyncExitStack() as stack:
            service = await start_service(
                settings,
                stack,
                load=load,
                admission=admission,
                stop=stop,
                decoders=decoders,
                metrics=metrics,
                skips_broken=skips_broken,
            )
            yield State(service=service)

    app = Application(
        requires_keys=settings.keys_file is not None,
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
    for router in (denoise.router, batch.router, models.router, inference.router, probes.router, pages.router):
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
    if settings.keys_file is not None:
        app.add_middleware(KeyCheck)
    if settings.metrics_port is not None:
        app.add_middleware(MetricsPort, port=settings.metrics_port)
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
