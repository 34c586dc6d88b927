"""What is loaded: one immutable snapshot of catalogue and queues, which is replaced as a whole."""

import asyncio
import gc
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.inference.batching import Batcher
from app.inference.metadata import ModelKey
from app.inference.model_store import Catalogue


@dataclass(frozen=True)
class VersionState:
    """Whether a version answers requests.

    Attributes:
        state: ``ready``, ``loading`` until a new folder is whole, checked and warm, or ``failed``.
        loaded_at: since when it answers.
        reason: what is wrong with it.
    """

    state: Literal["ready", "loading", "failed"]
    loaded_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The networks that answer at one time.

    Attributes:
        catalogue: the metadata of all that are ready.
        batchers: the queues of the same.
        states: of each folder ``NAME/VERSION`` in the store, ready or not.
    """

    catalogue: Catalogue
    batchers: Mapping[ModelKey, Batcher]
    states: Mapping[str, VersionState]


class Networks:
    """Hands out the current snapshot, and closes queues that no snapshot in use has; for use on one event loop."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._current = snapshot
        self._holders: Counter[Snapshot] = Counter()
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def current(self) -> Snapshot:
        """The newest snapshot; its queues may be closed as soon as the caller awaits something, see hold."""
        return self._current

    @contextmanager
    def hold(self) -> Iterator[Snapshot]:
        """Yield the newest snapshot, and keep its queues open during a ``with`` block."""
        snapshot = self._current
        self._holders[snapshot] += 1
        try:
            yield snapshot
        finally:
            self._holders[snapshot] -= 1
            if not self._holders[snapshot]:
                del self._holders[snapshot]
                if snapshot is not self._current:
                    self._retire(snapshot)

    def replace(self, snapshot: Snapshot) -> None:
        """Let requests that begin from now on have another snapshot."""
        replaced, self._current = self._current, snapshot
        if replaced not in self._holders:
            self._retire(replaced)

    async def close(self) -> None:
        """Finish what is queued, and end all threads."""
        for batcher in self._current.batchers.values():
            self._close(batcher)
        while self._closing:
            await asyncio.gather(*self._closing)

    def _retire(self, snapshot: Snapshot) -> None:
        """Close what only ``snapshot`` has."""
        kept = {batcher for used in (self._current, *self._holders) for batcher in used.batchers.values()}
        for batcher in set(snapshot.batchers.values()) - kept:
            self._close(batcher)

    def _close(self, batcher: Batcher) -> None:
        task = asyncio.create_task(_free(batcher))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


async def _free(batcher: Batcher) -> None:
    await batcher.close()
    del batcher
    gc.collect()  # runtimes keep a network in cycles of Python objects
