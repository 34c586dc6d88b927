"""Put the service together: create_app creates everything, importing this module creates nothing."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import TypedDict

import numpy as np
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from app import __version__
from app.access.key_watch import KeyWatch
from app.access.keyring import Keyring
from app.cpu_quota import available_cpus
from app.errors import ModelStoreError
from app.imaging.png import encode_png
from app.inference.batching import BATCH_SIZES, Batcher, create_batcher
from app.inference.denoiser import Denoiser, Loader
from app.inference.metadata import ModelKey, ModelMetadata
from app.inference.model_store import Catalogue, load_model, open_store
from app.inference.networks import Networks, Snapshot, VersionState
from app.inference.runtimes import create_loader
from app.inference.store_watch import Start, StoreWatch
from app.processing.admission import Admission
from app.processing.deadline import Stop
from app.processing.decoders import Decoders, ImageDecoder
from app.processing.options import Choice
from app.processing.picture import Upload
from app.processing.pipeline import Process
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
from app.web.middleware.key_check import KeyCheck
from app.web.middleware.metrics_port import MetricsPort
from app.web.pages import routes as pages
from app.web.pages.swagger import swagger_assets
from app.web.requests.query import choose, choose_options
from app.web.responses.problems import add_error_handlers, answer_internal_error
from app.web.routes import batch, denoise, inference, models, probes
from app.web.schemas import DenoiseQuery

EXPOSED_HEADERS = (
    "Content-Disposition", "Retry-After", "Server-Timing", "WWW-Authenticate", "X-Batch-Size", "X-Input-Size",
    "X-Model-Name", "X-Model-Version", "X-Noise-Level", "X-Polarity", REQUEST_ID_HEADER, "traceparent",
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
            service = await _start(settings, load, admission, stop, decoders, metrics, stack, skips_broken)
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


async def _start(
    settings: Settings,
    load: Loader | None,
    admission: Admission,
    stop: Stop,
    decoders: ImageDecoder | None,
    metrics: Metrics,
    stack: AsyncExitStack,
    skips_broken: bool,
) -> Service:
    """Load and warm every model, and follow the store; ``stack`` stops what was started, in reverse order."""
    catalogue = open_store(settings.model_store, default=settings.default_model, skips_broken=skips_broken)
    keyring = await _open_keys(settings, stack, waits=skips_broken)
    if decoders is None:
        decoders = await stack.enter_async_context(Decoders(settings.decoders, max_pixels=settings.max_pixels))
    threads = settings.inference_threads or available_cpus()
    load = load or create_loader(settings.runtime, precision=settings.precision, threads=threads)
    pool = stack.enter_context(ThreadPoolExecutor(available_cpus(), thread_name_prefix="images"))
    avif_pool = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="avif"))
    pixel_budget = PixelBudget(PIXEL_BUDGET * settings.max_pixels, retry_after_s=admission.retry_after_s)
    gc.collect()
    gc.freeze()  # or each collection would traverse what lives as long as the process, the runtime above all

    async def start(metadata: ModelMetadata) -> Batcher:
        step = partial(load_model, catalogue.store, metadata, load, warm_up_batches=BATCH_SIZES)
        denoiser = await _run_in_new_thread(step)
        batcher = create_batcher(denoiser, metadata, threads=threads)
        try:
            choice = Choice.always(choose_options(DenoiseQuery(), metadata))
            process = Process(pool, avif_pool, decoders, settings.max_pixels, {metadata.key: batcher}, choice)
            await _denoise_blank(process)
        except BaseException:
            await batcher.close()
            raise
        return batcher

    networks = Networks(await _load_all(catalogue, start, metrics, skips_broken=skips_broken))
    stack.push_async_callback(networks.close)
    await _decode_blank(decoders, pixel_budget, choose(DenoiseQuery(), catalogue))
    if settings.store_poll_s:
        watch = asyncio.create_task(StoreWatch(networks, start, metrics).run(settings.store_poll_s))
        stack.push_async_callback(_cancel, watch)
    return Service(
        networks=networks,
        admission=admission,
        stop=stop,
        pixel_budget=pixel_budget,
        metrics=metrics,
        pool=pool,
        avif_pool=avif_pool,
        decoders=decoders,
        max_pixels=settings.max_pixels,
        request_timeout_s=settings.request_timeout_s,
        request_timeout_s_per_megapixel=settings.request_timeout_s_per_megapixel,
        max_batch_files=settings.max_batch_files,
        keyring=keyring,
    )


async def _open_keys(settings: Settings, stack: AsyncExitStack, *, waits: bool) -> Keyring | None:
    """Read the keys and follow their file; return None if there is none."""
    if settings.keys_file is None:
        return None
    watch = KeyWatch(settings.keys_file)
    keyring = await watch.open(waits=waits)
    stack.push_async_callback(_cancel, asyncio.create_task(watch.run(keyring)))
    return keyring


async def _run_in_new_thread(step: Callable[[], Denoiser]) -> Denoiser:
    """Run a step in a thread that then ends, and with it what the runtime compiled for this thread."""
    executor = ThreadPoolExecutor(1, thread_name_prefix="load")
    try:
        return await asyncio.get_running_loop().run_in_executor(executor, step)
    finally:
        executor.shutdown(wait=False)


async def _load_all(catalogue: Catalogue, start: Start, metrics: Metrics, *, skips_broken: bool) -> Snapshot:
    """Load every version of the store, or none if one is broken that is not to be skipped."""
    batchers: dict[ModelKey, Batcher] = {}
    states: dict[str, VersionState] = {}
    try:
        for model in catalogue:
            try:
                batchers[model.key] = await start(model)
            except ModelStoreError as error:
                if not skips_broken:
                    raise
                logger.warning("%s", error)
                continue
            states[f"{model.name}/{model.version}"] = VersionState("ready", loaded_at=datetime.now(UTC))
            metrics.set_model(model.name, model.version)
            logger.info("model ready", extra={"fields": {"model": model.name, "version": model.version}})
    except BaseException:
        for batcher in batchers.values():
            await batcher.close()
        raise
    loaded = [model for model in catalogue if model.key in batchers]
    return Snapshot(catalogue.with_versions(loaded), MappingProxyType(batchers), MappingProxyType(states))


async def _decode_blank(decoders: ImageDecoder, pixel_budget: PixelBudget, choice: Choice) -> None:
    """Decode a blank picture apart, so that no client pays for what Pillow does only once."""
    with Reservation(pixel_budget) as reservation:
        await decoders.decode(BLANK_PNM, choice=choice, reserve=reservation.reserve)


async def _denoise_blank(process: Process) -> None:
    """Denoise a blank picture, so that no client pays for what Pillow and the runtime do only once.

    It reserves no pixels: requests may hold all of them when a version is added.
    """
    blank = Upload(encode_png(np.zeros((28, 28), np.uint8)), None)
    await process.denoise(blank, timer=StageTimer(), reserve=_reserve_nothing)


async def _reserve_nothing(_pixels: int) -> None:
    pass


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])
