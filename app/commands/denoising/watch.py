"""Find the pictures that are put into a folder while a command runs."""

from collections.abc import Callable
from pathlib import Path

from app.commands.denoising.plan import Job, Plan

Fingerprint = tuple[int, int]  # bytes, and nanoseconds of the last change


class Watch:
    """Looks again and again for pictures without results.

    A picture counts as soon as two looks have found it unchanged, so that one that is being copied is left alone. One
    that has been tried is not tried again until it changes.

    Args:
        look: plans what is to be done now.
    """

    def __init__(self, look: Callable[[], Plan]) -> None:
        self._look = look
        self._seen: dict[Path, Fingerprint] = {}
        self._tried: dict[Path, Fingerprint] = {}

    def find_ready(self) -> list[Job]:
        """Look once, and return the pictures that are whole and have not been tried."""
        found = {job.source: (job, _fingerprint(job.source)) for job in self._look().jobs if job.source is not None}
        before, self._seen = self._seen, {source: known for source, (_, known) in found.items() if known is not None}
        ready = [
            (source, job)
            for source, (job, known) in found.items()
            if known is not None and before.get(source) == known != self._tried.get(source)
        ]
        self._tried |= {source: self._seen[source] for source, _ in ready}
        return [job for _, job in ready]


def _fingerprint(path: Path) -> Fingerprint | None:
    """Return what tells whether a file has changed; None if it is gone."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
