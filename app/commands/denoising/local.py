"""Denoise in this process, with the pipeline and the batches of the service but no server."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Generator, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial

from app.commands.configuration import CommandError, CommandUsageError, read_store
from app.commands.denoising.plan import Job
from app.commands.denoising.results import Result, read_picture
from app.cpu_quota import available_cpus
from app.errors import DenoiserError, ModelStoreError, RequestError
from app.inference.batching import create_batcher
from app.inference.denoiser import Loader
from app.inference.metadata import ModelMetadata
from app.inference.model_store import load_model
from app.inference.runtimes import create_loader
from app.malloc import keep_freed_memory, tune_malloc
from app.processing.batch import Batch, Outcome
from app.processing.deadline import Deadline
from app.processing.decoders import Decoders
from app.processing.options import Choice
from app.processing.picture import DenoisedPicture, Upload
from app.processing.pipeline import Process
from app.processing.pixel_budget import PIXEL_BUDGET, PixelBudget
from app.settings import Settings
from app.web.requests.query import choose
from app.web.schemas import DenoiseQuery


class LocalBackend:
    """Denoises with models of the store, in this process."""

    def __init__(self, settings: Settings, query: DenoiseQuery, *, load: Loader | None = None) -> None:
        """Load the model that the query names, or those that ``auto`` chooses from.

        Raises:
            CommandError: there is no such model, it cannot be loaded, or it cannot use a parameter of the query.
        """
        tune_malloc()  # before the runtime starts threads
        catalogue = read_store(settings)
        self._threads = settings.inference_threads or available_cpus()
        try:
            self._choice = choose(query, catalogue)
            load = load or create_loader(settings.runtime, precision=settings.precision, threads=self._threads)
            self._networks = [
                (model, load_model(catalogue.store, model, load, warm_up_batches=(1,)))
                for model in _models(self._choice)
            ]
        except RequestError as error:
            names = f" Available: {', '.join(error.names)}." if error.names else ""
            raise CommandUsageError(f"{error}{names}") from error
        except ModelStoreError as error:
            raise CommandError(str(error)) from error
        self._max_pixels = settings.max_pixels
        self._decoders = settings.decoders

    def denoise(self, jobs: Iterable[Job]) -> Generator[Result, None, None]:
        """Denoise pictures and yield results in their order, with few more in memory than the network takes at once."""
        with (
            keep_freed_memory(),
            ThreadPoolExecutor(available_cpus()) as pool,
            ThreadPoolExecutor(1) as avif_pool,
            asyncio.Runner() as runner,
        ):
            source = _Source(jobs)
            outcomes = self._outcomes(source, pool, avif_pool)
            taken: deque[Outcome] = deque()
            try:
                while runner.run(_take(outcomes, taken)):
                    yield from source.unreadable()
                    yield _result(source.started.popleft(), taken.popleft())
                yield from source.unreadable()
            finally:
                runner.run(outcomes.aclose())

    async def _outcomes(self, source: "_Source", pool: Executor, avif_pool: Executor) -> AsyncGenerator[Outcome, None]:
        batchers = {
            model.key: create_batcher(denoiser, model, threads=self._threads) for model, denoiser in self._networks
        }
        pixel_budget = PixelBudget(PIXEL_BUDGET * self._max_pixels)
        async with Decoders(self._decoders, max_pixels=self._max_pixels) as decoders:
            process = Process(pool, avif_pool, decoders, self._max_pixels, batchers, self._choice)
            outcomes = Batch(process, pixel_budget, deadline=partial(Deadline, None)).denoise(source)
            try:
                async for outcome in outcomes:
                    yield outcome
            finally:
                await outcomes.aclose()
                for batcher in batchers.values():
                    await batcher.close()


def _models(choice: Choice) -> list[ModelMetadata]:
    return [choice.small.model] if choice.model else [choice.small.model, choice.large.model]


class _Source:
    """Reads pictures when they are needed."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._jobs = jobs
        self._unreadable: list[Result] = []
        self.started: deque[Job] = deque()

    def __iter__(self) -> Iterator[Upload]:
        for job in self._jobs:
            try:
                content = read_picture(job)
            except OSError as error:
                self._unreadable.append(Result(job, reason=f"cannot be read: {error.strerror}"))
                continue
            self.started.append(job)
            yield Upload(content, job.filename)

    def unreadable(self) -> Iterator[Result]:
        """Yield each picture that could not be read, once."""
        while self._unreadable:
            yield self._unreadable.pop()


async def _take(outcomes: AsyncGenerator[Outcome, None], taken: deque[Outcome]) -> bool:
    """Append the next outcome, if any; not returned, since Python 3.11's Runner.run formats a task's whole result."""
    async for outcome in outcomes:
        taken.append(outcome)
        return True
    return False


def _result(job: Job, outcome: Outcome) -> Result:
    if isinstance(outcome.result, DenoisedPicture):
        return Result(job, outcome.result.encoded, model=outcome.result.model.key)
    error = outcome.result
    cause = f" {error.__cause__}" if not isinstance(error, RequestError) and error.__cause__ else ""
    if isinstance(error, DenoiserError):
        return Result(job, reason=f"{error}{cause}")
    return Result(job, reason=f"{type(error).__name__}: {error}")
