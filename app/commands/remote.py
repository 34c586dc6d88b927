"""Denoise with a service: several requests at once, over connections that stay open."""

import threading
from collections.abc import Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from http import HTTPStatus
from urllib.parse import urlencode

import urllib3
from pydantic import ValidationError
from urllib3.exceptions import HTTPError

from app.commands.configuration import CommandError, CommandUsageError
from app.commands.plan import Job
from app.commands.results import Result, read_picture
from app.imaging.encode import MEDIA_TYPES
from app.inference.metadata import ModelKey
from app.web.schemas import DenoiseQuery, ModelList, Problem

TIMEOUT = urllib3.Timeout(connect=5, read=120)
RETRIES = urllib3.Retry(  # of broken connections only; sending a picture twice does no harm
    total=2, redirect=False, backoff_factor=0.2, allowed_methods=None, respect_retry_after_header=False
)
BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
MAX_BUSY_RESPONSES = 30  # for one picture
MAX_WAIT_S = 60
WAIT_S = 1  # if a busy service does not say how long
PROBLEMS_OF_ALL = ("/problems/invalid-parameter", "/problems/model-not-found")  # every other picture would fail alike


class RemoteBackend:
    """Denoises with the service at ``url``, with ``connections`` requests in flight at once."""

    def __init__(self, url: str, query: DenoiseQuery | None = None, *, connections: int = 1) -> None:
        self._url = url.rstrip("/")
        self._parameters = {name: str(value) for name, value in (query or DenoiseQuery()) if value is not None}
        self._accept = MEDIA_TYPES[(query and query.format) or "png"]
        self._connections = connections
        self._pool = urllib3.PoolManager(maxsize=connections, timeout=TIMEOUT, retries=RETRIES)
        self._stopping = threading.Event()
        if not self._url.startswith(("http://", "https://")):
            raise CommandUsageError(f"--url {url}: the address of a service starts with http:// or https://")

    def models(self) -> ModelList:
        """Ask the service for its models.

        Raises:
            CommandError: the service cannot be reached, or is no denoiser.
        """
        try:
            response = self._pool.request("GET", f"{self._url}/v1/models")
        except HTTPError as error:
            raise self._unreachable(error) from error
        try:
            return ModelList.model_validate_json(response.data)
        except ValidationError:
            raise CommandError(f"{self._url} is no denoiser (status {response.status} for /v1/models)") from None

    def denoise(self, jobs: Iterable[Job]) -> Generator[Result, None, None]:
        """Denoise pictures and yield the results as they come, with no more in memory than requests in flight.

        Raises:
            CommandError: the service can no longer be reached, or it refuses a parameter, which all pictures share.
        """
        running: set[Future[Result]] = set()
        with ThreadPoolExecutor(self._connections) as pool:
            try:
                for job in jobs:
                    running.add(pool.submit(self._denoise, job))
                    if len(running) > self._connections:  # one more is queued, so that no connection idles
                        done, running = wait(running, return_when=FIRST_COMPLETED)
                        yield from (future.result() for future in done)
                while running:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            finally:
                self._stopping.set()
                pool.shutdown(wait=False, cancel_futures=True)

    def _denoise(self, job: Job) -> Result:
        try:
            picture = read_picture(job)
        except OSError as error:
            return Result(job, reason=f"cannot be read: {error.strerror}")
        try:
            response = self._post(picture)
        except HTTPError as error:
            self.models()  # raises if the service is gone: then not only this picture fails
            return Result(job, reason=f"the connection broke: {_cause(error)}")
        if response.status == HTTPStatus.OK:
            return Result(job, response.data, model=_model_of(response))
        return Result(job, reason=self._reason(response))

    def _post(self, picture: bytes) -> urllib3.BaseHTTPResponse:
        """Send a picture, and send it again while the service is busy."""
        response = self._post_once(picture)
        for _ in range(MAX_BUSY_RESPONSES - 1):
            if response.status not in BUSY or self._stopping.wait(_wait_s(response)):
                break
            response = self._post_once(picture)
        return response

    def _post_once(self, picture: bytes) -> urllib3.BaseHTTPResponse:
        url = f"{self._url}/v1/denoise?{urlencode(self._parameters)}"
        return self._pool.request("POST", url, body=picture, headers={"Accept": self._accept})

    def _reason(self, response: urllib3.BaseHTTPResponse) -> str:
        try:
            problem = Problem.model_validate_json(response.data)
        except ValidationError:
            return f"{self._url} answered with status {response.status}"
        if problem.type in PROBLEMS_OF_ALL:
            names = f" Available: {', '.join(problem.names)}." if problem.names else ""
            raise CommandUsageError(f"{problem.detail}{names}")
        return problem.detail

    def _unreachable(self, error: HTTPError) -> CommandError:
        return CommandError(f"{self._url} cannot be reached: {_cause(error)}; is the service running there?")


def _model_of(response: urllib3.BaseHTTPResponse) -> ModelKey | None:
    name, version = response.headers.get("X-Model-Name"), response.headers.get("X-Model-Version", "")
    return (name, int(version)) if name and version.isdecimal() else None


def _wait_s(response: urllib3.BaseHTTPResponse) -> float:
    """Return the seconds of Retry-After (RFC 9110, section 10.2.3); a date counts as none."""
    given = response.headers.get("Retry-After", "")
    return min(int(given), MAX_WAIT_S) if given.isdecimal() else WAIT_S


def _cause(error: BaseException) -> str:
    """Return what broke, in the words of the operating system if it has any."""
    while (cause := getattr(error, "reason", None) or error.__cause__) is not None and isinstance(cause, Exception):
        error = cause
    return getattr(error, "strerror", None) or str(error)
