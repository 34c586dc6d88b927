"""The client for programs that use asyncio."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable
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


class AsyncClient:
    """Calls one service, over connections that stay open; for use on one event loop. See Client for the arguments."""

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        tries: int = TRIES,
        timeout_s: float | None = None,
        proxy: str | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(**http_options(url, key, timeout_s, proxy))
        self._tries = tries

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def models(self) -> dict[str, Any]:
        """See Client.models."""
        return read_models(await self._send(MODELS_CALL, tries=1))

    async def denoise(self, picture: Picture, **options: Unpack[Options]) -> Denoised:
        """See Client.denoise."""
        content = await asyncio.to_thread(read_picture, picture)
        return read_result(await self._send(denoise_call(content, **options), tries=self._tries))

    async def denoise_many(
        self, pictures: Iterable[Picture], *, in_flight: int = IN_FLIGHT, **options: Unpack[Options]
    ) -> AsyncGenerator[Outcome, None]:
        """See Client.denoise_many."""
        turn = asyncio.Semaphore(in_flight)
        started: deque[asyncio.Task[Outcome]] = deque()

        async def work(picture: Picture) -> Outcome:
            async with turn:
                try:
                    return Outcome(picture, denoised=await self.denoise(picture, **options))
                except (DenoiserError, OSError) as error:
                    return Outcome(picture, error=error)

        try:
            for picture in pictures:
                started.append(asyncio.create_task(work(picture)))
                if len(started) == 2 * in_flight:
                    yield await started[0]
                    started.popleft()
            while started:
                yield await started[0]
                started.popleft()
        finally:
            for task in started:
                task.cancel()
            await asyncio.gather(*started, return_exceptions=True)

    async def _send(self, call: Call, *, tries: int) -> httpx.Response:
        attempts = Attempts(tries)
        while True:
            reply = await self._send_once(call)
            wait_s = attempts.wait_after(reply)
            if wait_s is None:
                return check(reply)
            await asyncio.sleep(wait_s)

    async def _send_once(self, call: Call) -> Reply:
        try:
            return await self._http.request(**call)
        except httpx.TransportError as error:
            return error
