"""The outcomes of a batch, as they are written."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from app.errors import NoImageError
from app.processing.batch import Outcome
from app.processing.picture import DenoisedPicture
from app.web.responses.batch import write_json
from app.web.schemas import BatchSummary, Problem

pytestmark = pytest.mark.anyio


class Ignore:
    """A tally that counts nothing."""

    def count_picture(self, denoised: DenoisedPicture) -> None: ...

    def count_problem(self, problem: Problem) -> None: ...

    def summary(self) -> BatchSummary:
        raise NotImplementedError


async def test_closing_a_response_ends_the_work() -> None:
    happened: list[str] = []

    async def outcomes() -> AsyncGenerator[Outcome, None]:
        try:
            while True:
                yield Outcome("a.png", NoImageError("The file is empty."))
        finally:
            happened.append("closed")

    response = write_json(outcomes(), Ignore())
    assert b"a.png" in await anext(response)
    await response.aclose()
    assert happened == ["closed"]


async def test_an_unexpected_error_is_reported_without_its_text() -> None:
    line = await first_line_of(Outcome("a.png", ValueError("a secret")))
    assert b"/problems/internal-error" in line
    assert b"secret" not in line


async def first_line_of(outcome: Outcome) -> bytes:
    async def outcomes() -> AsyncGenerator[Outcome, None]:
        yield outcome

    async with aclosing(write_json(outcomes(), Ignore())) as response:
        return await anext(response)
