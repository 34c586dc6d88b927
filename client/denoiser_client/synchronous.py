"""The client for programs without asyncio."""

import threading
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self, Unpack

import httpx2 as httpx

from denoiser_client.errors import DenoiserError
from denoiser_client.exchange import (
    IN_FLIGHT,
    MODELS_CALL,
    TRIES,
    Attempts,
    Call,
    Reply,
    check,
    denoise_call,
    http_options,
    read_models,
)
from denoiser_client.options import Options
from denoiser_client.pictures import Picture, read_picture
from denoiser_client.results import Denoised, Outcome, read_result


class Client:
    """Calls one service, over connections that stay open; several threads may share it.

    Args:
        url: the address of the service, with a path prefix if it has one.
        key: the key, where the service requires one.
        tries: how often a request is sent at most, while the service is busy.
        timeout_s: seconds without a byte until a connection counts as broken; by default 120.
        proxy: the address of a proxy.

    Raises:
        ValueError: ``url`` is no address of HTTP.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        tries: int = TRIES,
        timeout_s: float | None = None,
        proxy: str | None = None,
    ) -> None:
        self._http = httpx.Client(**http_options(url, key, timeout_s, proxy))
        self._tries = tries

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def models(self) -> dict[str, Any]:
        """Return what ``GET /v1/models`` returns.

        Raises:
            DenoiserError: there is no such response.
        """
        return read_models(self._send(MODELS_CALL, tries=1))

    def denoise(self, picture: Picture, **options: Unpack[Options]) -> Denoised:
        """Denoise one picture.

        Raises:
            DenoiserError: the service refuses it, fails, or cannot be reached.
            OSError: the file cannot be read.
            TypeError: this is no picture, or an array of another kind.
        """
        return self._denoise(picture, options, threading.Event())

    def denoise_many(
        self, pictures: Iterable[Picture], *, in_flight: int = IN_FLIGHT, **options: Unpack[Options]
    ) -> Generator[Outcome, None, None]:
        """Denoise pictures, ``in_flight`` at once, and yield the outcomes in the order of the pictures.

        At most twice as many are read and not yet yielded. Closing the iterator ends the work.
        """
        stopping = threading.Event()
        pool = ThreadPoolExecutor(in_flight, thread_name_prefix="denoiser-client")
        started: deque[Future[Outcome]] = deque()
        try:
            for picture in pictures:
                started.append(pool.submit(self._try, picture, options, stopping))
                if len(started) == 2 * in_flight:
                    yield started.popleft().result()
            while started:
                yield started.popleft().result()
        finally:
            stopping.set()
            pool.shutdown(cancel_futures=True)

    def _try(self, picture: Picture, options: Options, stopping: threading.Event) -> Outcome:
        try:
            return Outcome(picture, denoised=self._denoise(picture, options, stopping))
        except (DenoiserError, OSError) as error:
            return Outcome(picture, error=error)

    def _denoise(self, picture: Picture, options: Options, stopping: threading.Event) -> Denoised:
        call = denoise_call(read_picture(picture), **options)
        return read_result(self._send(call, tries=self._tries, stopping=stopping))

    def _send(self, call: Call, *, tries: int, stopping: threading.Event | None = None) -> httpx.Response:
        """Send a request, and again while the service is busy or connections break."""
        attempts = Attempts(tries)
        stopping = stopping or threading.Event()
        while True:
            reply = self._send_once(call)
            wait_s = attempts.wait_after(reply)
            if wait_s is None or stopping.wait(wait_s):
                return check(reply)

    def _send_once(self, call: Call) -> Reply:
        try:
            return self._http.request(**call)
        except httpx.TransportError as error:
            return error
