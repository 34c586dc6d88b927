"""The outcomes of a batch as a ZIP of images with a manifest, or as JSON, both written piece by piece."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Protocol

from app.imaging.encode import ENDINGS
from app.processing.batch import Outcome
from app.processing.picture import DenoisedPicture
from app.web.requests.negotiation import JSON, OCTET_STREAM
from app.web.responses.archive import MANIFEST, OutputNames, ZipStream
from app.web.responses.picture import to_description, to_encoded_image, to_reference
from app.web.responses.problems import describe_problem
from app.web.schemas import BatchItem, BatchSummary, Problem

ZIP = "application/zip"
MEDIA_TYPES = (ZIP, JSON, OCTET_STREAM)
OK = 200


class Tally(Protocol):
    """Counts the outcomes of a batch, and sums them up at the end."""

    def count_picture(self, denoised: DenoisedPicture) -> None:
        """Count a file that was denoised."""

    def count_problem(self, problem: Problem) -> None:
        """Count a file that was not denoised."""

    def summary(self) -> BatchSummary:
        """Return the summary of the batch."""


async def write_zip(outcomes: AsyncGenerator[Outcome, None], tally: Tally) -> AsyncGenerator[bytes, None]:
    """Write the results as they come, then the manifest; only its line in the manifest is kept of each picture."""
    archive, names = ZipStream(), OutputNames()
    lines: list[str] = []
    async with aclosing(outcomes):
        async for outcome in outcomes:
            item = _describe(outcome, tally)
            if isinstance(outcome.result, DenoisedPicture):
                item.output = names.add(outcome.name, ENDINGS[outcome.result.format])
                yield archive.add(item.output, outcome.result.encoded)
            lines.append(item.model_dump_json())
    items = ",\n".join(lines)
    manifest = f'{{"items":[\n{items}\n],{tally.summary().model_dump_json()[1:]}\n'
    yield archive.add(MANIFEST, manifest.encode())
    yield archive.close()


async def write_json(outcomes: AsyncGenerator[Outcome, None], tally: Tally) -> AsyncGenerator[bytes, None]:
    """Write a BatchResponse with the results in base64, one line for each picture."""
    separator = '{"items":[\n'
    async with aclosing(outcomes):
        async for outcome in outcomes:
            item = _describe(outcome, tally)
            if isinstance(outcome.result, DenoisedPicture):
                item.image = to_encoded_image(outcome.result)
            yield f"{separator}{item.model_dump_json()}".encode()
            separator = ",\n"
    yield f"\n],{tally.summary().model_dump_json()[1:]}\n".encode()


def _describe(outcome: Outcome, tally: Tally) -> BatchItem:
    if isinstance(outcome.result, Exception):
        problem = describe_problem(outcome.result)
        tally.count_problem(problem)
        return BatchItem(name=outcome.name, status=problem.status, problem=problem)
    denoised = outcome.result
    tally.count_picture(denoised)
    return BatchItem(
        name=outcome.name,
        status=OK,
        model=to_reference(denoised.model),
        input=to_description(denoised.source),
        timing_ms=denoised.timing_ms,
        batch_size=denoised.batch_size,
    )
