from collections.abc import Iterator

import numpy as np
import pytest
from denoiser_client import AsyncClient, ConnectionFailedError, Picture, RequestError

from tests.app.pictures import encode, ring
from tests.app.serving import Response, answering
from tests.client.denoiser_client.replies import HEADERS, busy

PICTURE = encode(ring())

pytestmark = pytest.mark.anyio


async def test_a_picture_is_denoised(url: str) -> None:
    async with AsyncClient(url) as client:
        assert np.array_equal((await client.denoise(PICTURE)).to_array(), ring())
        assert (await client.models())["default"] == "tiny"


async def test_many_pictures_are_denoised_in_their_order_and_fail_alone(url: str) -> None:
    pictures: list[Picture] = [ring(20 + number) for number in range(12)]
    pictures[3] = b"no picture"
    async with AsyncClient(url) as client:
        outcomes = [outcome async for outcome in client.denoise_many(pictures, in_flight=3, model="free")]
    sizes = [outcome.denoised.input_size[0] if outcome.denoised else None for outcome in outcomes]
    assert sizes == [None if number == 3 else 20 + number for number in range(12)]
    assert isinstance(outcomes[3].error, RequestError)


async def test_many_pictures_are_read_only_when_they_are_needed(url: str) -> None:
    taken = 0

    def endless() -> Iterator[Picture]:
        nonlocal taken
        while True:
            taken += 1
            yield PICTURE

    async with AsyncClient(url) as client:
        outcomes = client.denoise_many(endless(), in_flight=2)
        assert (await anext(outcomes)).error is None
        await outcomes.aclose()
    assert taken == 4


async def test_a_picture_is_sent_again_while_the_service_is_busy() -> None:
    replies: list[Response | None] = [busy(), None, busy(429)]
    with answering(lambda path, body: replies.pop() if replies else (200, HEADERS, body)) as url:
        async with AsyncClient(url) as client:
            assert (await client.denoise(PICTURE)).content == PICTURE


async def test_a_service_that_is_not_there_is_an_error() -> None:
    async with AsyncClient("http://127.0.0.1:9") as client:
        with pytest.raises(ConnectionFailedError):
            await client.denoise(PICTURE)
