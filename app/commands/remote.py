"""Denoise with a service: several requests at once, on connections that stay open."""

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
from app.web.schemas import DenoiseQuery, ModelList, Problem

TIMEOUT = urllib3.Timeout(connect=5, read=120)
RETRIES = urllib3.Retry(  # of broken connections only: a picture may be sent twice
    total=2, redirect=False, backoff_factor=0.2, allowed_methods=None, respect_retry_after_header=False
)
BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
MAX_BUSY_ANSWERS = 30  # of one picture
MAX_WAIT_S = 60
WAIT_S = 1  # where a busy service does not say how long
PROBLEMS_OF_ALL = ("/problems/invalid-parameter", "/problems/model-not-found")  # every further picture would have them


class RemoteBackend:
    """A service at ``url``, with ``connections`` requests to it in flight at once."""

    def __init__(self, url: str, query: DenoiseQuery | None = None, *, connections: int = 1) -> None:
        self._url = url.rstrip("/")
        self._parameters = {name: str(value) for name, value in (query or DenoiseQuery()) if value is not None}
        self._connections = connections
        self._pool = urllib3.PoolManager(maxsize=connections, timeout=TIMEOUT, retries=RETRIES)
        self._stopping = threading.Event()
        if not self._url.startswith(("http://", "https://")):
            raise CommandUsageError(f"--url {url}: the address of a service begins with http:// or https://")

    def models(self) -> ModelList:
        """Ask which models there are.

        Raises:
            CommandError: nothing answers, or what answers is no such service.
        """
        try:
            answer = self._pool.request("GET", f"{self._url}/v1/models")
        except HTTPError as error:
            raise self._unreachable(error) from error
        try:
            return ModelList.model_validate_json(answer.data)
        except ValidationError:
            raise CommandError(
                f"{self._url}: what answers is no denoiser (status {answer.status} at /v1/models)"
            ) from None

    def denoise(self, jobs: Iterable[Job]) -> Generator[Result, None, None]:
        """Denoise pictures and give the results as they come; no more pictures are in memory than requests in flight.

        Raises:
            CommandError: the service cannot be reached any more, or it refuses what all pictures have in common.
        """
        running: set[Future[Result]] = set()
        with ThreadPoolExecutor(self._connections) as pool:
            try:
                for job in jobs:
                    running.add(pool.submit(self._denoise, job))
                    if len(running) > self._connections:  # one waits, so that no connection does
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
            answer = self._post(picture)
        except HTTPError as error:
            self.models()  # raises where not this picture alone is the reason
            return Result(job, reason=f"the connection broke: {_cause(error)}")
        if answer.status == HTTPStatus.OK:
            return Result(job, answer.data)
        return Result(job, reason=self._reason(answer))

    def _post(self, picture: bytes) -> urllib3.BaseHTTPResponse:
        """Send a picture, again and again while the service is busy."""
        answer = self._post_once(picture)
        for _ in range(MAX_BUSY_ANSWERS - 1):
            if answer.status not in BUSY or self._stopping.wait(_wait_s(answer)):
                break
            answer = self._post_once(picture)
        return answer

    def _post_once(self, picture: bytes) -> urllib3.BaseHTTPResponse:
        url = f"{self._url}/v1/denoise?{urlencode(self._parameters)}"
        return self._pool.request("POST", url, body=picture, headers={"Accept": "image/png"})

    def _reason(self, answer: urllib3.BaseHTTPResponse) -> str:
        try:
            problem = Problem.model_validate_json(answer.data)
        except ValidationError:
            return f"{self._url} answered with status {answer.status}"
        if problem.type in PROBLEMS_OF_ALL:
            names = f" There is: {', '.join(problem.names)}." if problem.names else ""
            raise CommandUsageError(f"{problem.detail}{names}")
        return problem.detail

    def _unreachable(self, error: HTTPError) -> CommandError:
        return CommandError(f"{self._url} cannot be reached: {_cause(error)}; is the service running there?")


def _wait_s(answer: urllib3.BaseHTTPResponse) -> float:
    """Seconds of Retry-After (RFC 9110, section 10.2.3); a date counts as none."""
    given = answer.headers.get("Retry-After", "")
    return min(int(given), MAX_WAIT_S) if given.isdecimal() else WAIT_S


def _cause(error: BaseException) -> str:
    """What broke, in the words of the operating system where it has some."""
    while (cause := getattr(error, "reason", None) or error.__cause__) is not None and isinstance(cause, Exception):
        error = cause
    return getattr(error, "strerror", None) or str(error)
