"""Start what the service works with: keys, decoders, and every network of the store, warm."""

import asyncio
import gc
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import numpy as np

from app.access.key_watch import KeyWatch
from app.access.keyring import Keyring
from app.cpu_quota import available_cpus
from app.errors import ModelStoreError
from app.imaging.png import encode_png
from app.inference.batching import Batcher, create_batcher
from app.inference.denoiser import Denoiser, Loader
from app.inference.loop_calls import has_short_calls
from app.inference.metadata import ModelKey, ModelMetadata
from app.inference.micro_batch import BATCH_SIZES
from app.inference.model_store import Catalogue, load_model, open_store
from app.inference.networks import Networks, Snapshot, VersionState
from app.inference.runtimes import create_loader
from app.inference.store_watch import Start, StoreWatch
from app.malloc import keep_freed_memory
from app.processing.admission import Admission
from app.processing.deadline import Stop
from app.processing.decoders import Decoders, ImageDecoder
from app.processing.options import Choice
from app.processing.picture import Upload
from app.processing.pipeline import Process
from app.processing.pixel_budget import PIXEL_BUDGET, PixelBudget, Reservation
from app.settings import Settings
from app.telemetry.metrics import Metrics
from app.telemetry.timing import StageTimer
from app.web.dependencies import Service
from app.web.requests.query import choose, choose_options
from app.web.schemas import DenoiseQuery

BLANK_PNM = b"P5 1 1 255 \0"  # always decoded apart

T = TypeVar("T")

CreateProcess = Callable[[Mapping[ModelKey, Batcher], Choice], Process]

logger = logging.getLogger(__name__)


async def start_service(
    settings: Settings,
    stack: AsyncExitStack,
    *,
    load: Loader | None,
    admission: Admission,
    stop: Stop,
    decoders: ImageDecoder | None,
    metrics: Metrics,
    skips_broken: bool,
) -> Service:
    """Load and warm every network, and follow the store; ``stack`` stops what was started, in reverse order.

    The other arguments are those of ``create_app``; ``metrics`` are told of each network.
    """
    stack.enter_context(keep_freed_memory())
    catalogue = open_store(settings.model_store, default=settings.default_model, skips_broken=skips_broken)
    keyring = await _open_keys(settings, stack, waits=skips_broken)
    if decoders is None:
        decoders = await stack.enter_async_context(Decoders(settings.decoders, max_pixels=settings.max_pixels))
    pool = stack.enter_context(ThreadPoolExecutor(available_cpus(), thread_name_prefix="images"))
    avif_pool = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="avif"))
    threads = settings.inference_threads or available_cpus()
    start = partial(
        _start_network,
        store=catalogue.store,
        load=load or create_loader(settings.runtime, precision=settings.precision, threads=threads),
        threads=threads,
        has_spare_cores=settings.workers < available_cpus(),
        create_process=partial(Process, pool, avif_pool, decoders, settings.max_pixels),
    )
    gc.collect()
    gc.freeze()  # or each collection would traverse what lives as long as the process, the runtime above all

    networks = Networks(await _load_all(catalogue, start, metrics, skips_broken=skips_broken))
    stack.push_async_callback(networks.close)
    pixel_budget = PixelBudget(PIXEL_BUDGET * settings.max_pixels, retry_after_s=admission.retry_after_s)
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


async def _start_network(
    metadata: ModelMetadata,
    *,
    store: Path,
    load: Loader,
    threads: int,
    has_spare_cores: bool,
    create_process: CreateProcess,
) -> Batcher:
    """Load one version and warm it with a picture."""

    def load_and_time() -> tuple[Denoiser, bool]:
        denoiser = load_model(store, metadata, load, warm_up_batches=BATCH_SIZES)
        return denoiser, not has_spare_cores and has_short_calls(denoiser, metadata)

    denoiser, runs_on_loop = await _run_in_new_thread(load_and_time)
    batcher = create_batcher(denoiser, metadata, threads=threads, runs_on_loop=runs_on_loop)
    try:
        choice = Choice.always(choose_options(DenoiseQuery(), metadata))
        await _denoise_blank(create_process({metadata.key: batcher}, choice))
    except BaseException:
        await batcher.close()
        raise
    return batcher


async def _run_in_new_thread(step: Callable[[], T]) -> T:
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
