"""Denoise with a service, by means of the client library."""

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from typing import Any

import denoiser_client as client
from pydantic import ValidationError

from app.commands.configuration import KEY_VARIABLE, CommandError, CommandUsageError
from app.commands.denoising.plan import Job
from app.commands.denoising.results import Result, read_picture
from app.web.schemas import DenoiseQuery, ModelList

TRIES = 30  # of one picture, while the service is busy
KEY_MISSING = "/problems/key-missing"
PROBLEMS_OF_ALL = ("/problems/invalid-parameter", "/problems/model-not-found")  # every other picture would fail alike


class RemoteBackend:
    """Denoises with the service at ``url``, with ``connections`` requests in flight at once."""

    def __init__(
        self, url: str, query: DenoiseQuery | None = None, *, key: str | None = None, connections: int = 1
    ) -> None:
        self._url = url.rstrip("/")
        self._options: Any = {} if query is None else query.model_dump(exclude_none=True)
        self._connections = connections
        self._key = key

    def models(self) -> ModelList:
        """Ask the service for its models.

        Raises:
            CommandError: the service cannot be reached, refuses the key, or is no denoiser.
        """
        try:
            with self._open() as service:
                return ModelList.model_validate(service.models())
        except client.ConnectionFailedError as error:
            raise CommandError(
                f"{self._url} cannot be reached: {error.reason}; is the service running there?"
            ) from error
        except client.ProblemError as error:
            wanted = f"it wants a key: put one into {KEY_VARIABLE}, or give it with --key"
            raise CommandError(f"{self._url}: {wanted if error.type == KEY_MISSING else error.detail}") from error
        except client.NoDenoiserError as error:
            raise CommandError(f"{self._url} is no denoiser (status {error.status} for /v1/models)") from error
        except ValidationError:
            raise CommandError(f"{self._url} is no denoiser of this version") from None

    def denoise(self, jobs: Iterable[Job]) -> Generator[Result, None, None]:
        """Denoise pictures and yield the results in their order, with no more in memory than twice those in flight.

        Raises:
            CommandError: the service can no longer be reached, or it refuses a parameter, which all pictures share.
        """
        started: deque[Job] = deque()

        def pictures() -> Iterator[client.Picture]:
            for job in jobs:
                started.append(job)
                yield read_picture(job) if job.source is None else job.source

        with (
            self._open() as service,
            closing(service.denoise_many(pictures(), in_flight=self._connections, **self._options)) as outcomes,
        ):
            for outcome in outcomes:
                yield self._result(started.popleft(), outcome)

    def _open(self) -> client.Client:
        try:
            return client.Client(self._url, key=self._key, tries=TRIES)
        except ValueError as error:
            raise CommandUsageError(f"--url {error}") from None

    def _result(self, job: Job, outcome: client.Outcome) -> Result:
        if outcome.denoised is not None:
            model = outcome.denoised.model
            return Result(job, outcome.denoised.content, model=(model.name, model.version))
        match outcome.error:
            case client.ProblemError(type=kind) as problem if kind in PROBLEMS_OF_ALL:
                names = f" Available: {', '.join(problem.names)}." if problem.names else ""
                raise CommandUsageError(f"{problem.detail}{names}")
            case client.ConnectionFailedError() as error:
                self.models()  # raises if the service is gone: then not only this picture fails
                return Result(job, reason=f"the connection broke: {error.reason}")
            case OSError() as error:
                return Result(job, reason=f"cannot be read: {error.strerror}")
        return Result(job, reason=str(outcome.error))
