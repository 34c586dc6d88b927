"""The outcome of one picture, and how pictures are read and results written."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from app.commands.denoising.plan import Job
from app.inference.metadata import ModelKey


@dataclass(frozen=True)
class Result:
    """A picture's result, encoded, and the model that denoised it, or the reason why there is none."""

    job: Job
    encoded: bytes = b""
    model: ModelKey | None = None
    reason: str | None = None


def read_picture(job: Job) -> bytes:
    """Read a picture.

    Raises:
        OSError: it cannot be read.
    """
    return sys.stdin.buffer.read() if job.source is None else job.source.read_bytes()


def write_result(result: Result) -> str | None:
    """Write a result, if there is one, to the target of its job; return why there is none, or it cannot be written."""
    if result.reason is None:
        try:
            write_whole(result.encoded, result.job.target)
        except OSError as error:
            return f"{result.job.target or 'standard output'} cannot be written: {error.strerror}"
    return result.reason


def write_whole(encoded: bytes, target: Path | None) -> None:
    """Write a file whole or not at all, so that one of that name is always complete.

    Raises:
        OSError: it cannot be written.
    """
    if target is None:
        sys.stdout.buffer.write(encoded)
        sys.stdout.buffer.flush()
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(encoded)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
