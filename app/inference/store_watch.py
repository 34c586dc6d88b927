"""Follow the store while the service runs: load the versions that are added, and let go of those that are removed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Set
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from app.errors import ModelStoreError
from app.inference.batching import Batcher
from app.inference.metadata import ModelKey, ModelMetadata
from app.inference.model_store import check_version, list_versions
from app.inference.networks import Networks, Snapshot, VersionState
from app.inference.version_files import Fingerprint, read_fingerprint
from app.telemetry.metrics import Metrics

Start = Callable[[ModelMetadata], Awaitable[Batcher]]  # loads and warms a version

logger = logging.getLogger(__name__)


class StoreWatch:
    """Compares the store with what is loaded; each ``look`` replaces the snapshot where they differ.

    A new folder is touched only when two looks have found it with the same sizes and times, so that one that is being
    copied is left alone. If it is broken then, it is refused until it changes.

    Args:
        networks: has what is loaded.
        start: loads and warms a version, or raises ModelStoreError.
        metrics: counts changes.
    """

    def __init__(self, networks: Networks, start: Start, metrics: Metrics) -> None:
        self._networks = networks
        self._start = start
        self._metrics = metrics
        self._store = networks.current.catalogue.store
        self._seen: dict[str, Fingerprint] = {}  # at the last look, by folder: NAME/VERSION
        self._loaded: dict[str, Fingerprint] = {}  # of what is loaded
        self._refused: dict[str, Fingerprint] = {}
        self._is_default_left = True

    async def run(self, poll_s: float) -> None:
        """Look every ``poll_s`` seconds until this is cancelled."""
        while True:
            await asyncio.sleep(poll_s)
            try:
                await self.look()
            except Exception:  # what is loaded keeps answering
                logger.exception("the model store could not be followed")

    async def look(self) -> None:
        """Compare the store with what is loaded, and follow it."""
        before, self._seen = self._seen, await asyncio.to_thread(_read_store, self._store)
        self._refused = {folder: known for folder, known in self._refused.items() if self._seen.get(folder) == known}
        self._follow_folders()
        for folder, fingerprint in self._seen.items():
            is_new = self._networks.current.states[folder].state == "loading"
            if is_new and before.get(folder) == fingerprint:
                await self._install(folder, fingerprint)

    def _follow_folders(self) -> None:
        """Let go of versions whose folders are gone, and list those that are new."""
        current = self._networks.current
        ready = {f"{model.name}/{model.version}": model for model in current.catalogue}
        self._note_changes(ready.keys() & self._seen.keys())
        gone = self._find_gone(ready)
        kept = [model for folder, model in ready.items() if folder not in gone]
        states = {
            folder: current.states[folder] if folder in ready or folder in self._refused else VersionState("loading")
            for folder in (ready.keys() | self._seen.keys()) - gone
        }
        if states != current.states:
            self._networks.replace(_change(current, kept, current.batchers, states))
        for folder in sorted(gone):
            self._loaded.pop(folder, None)
            self._metrics.set_model(ready[folder].name, ready[folder].version, is_loaded=False)
            self._note("removed", folder)

    def _find_gone(self, ready: Mapping[str, ModelMetadata]) -> Set[str]:
        """Return the folders that are gone: none as long as no version of the default model would be left to answer."""
        default = self._networks.current.catalogue.default
        is_left = any(model.name == default and folder in self._seen for folder, model in ready.items())
        if self._is_default_left and not is_left:
            logger.warning("%s: model %r is gone from the store; what is loaded stays", self._store, default)
        self._is_default_left = is_left
        return ready.keys() - self._seen.keys() if is_left else set()

    def _note_changes(self, folders: Set[str]) -> None:
        """Warn of versions that have changed since they were loaded, once for each change."""
        for folder in folders:
            known, self._loaded[folder] = self._loaded.get(folder), self._seen[folder]
            if known not in (None, self._seen[folder]):
                logger.warning("%s has changed since it was loaded; what is loaded stays", self._store / folder)

    async def _install(self, folder: str, fingerprint: Fingerprint) -> None:
        try:
            metadata = await asyncio.to_thread(check_version, self._store / folder)
            batcher = await self._start(metadata)
        except Exception as error:  # a network may raise anything
            self._refuse(folder, fingerprint, error)
            return
        self._loaded[folder] = fingerprint
        current = self._networks.current
        state = VersionState("ready", loaded_at=datetime.now(UTC))
        batchers = {**current.batchers, metadata.key: batcher}
        states = {**current.states, folder: state}
        self._networks.replace(_change(current, [*current.catalogue, metadata], batchers, states))
        self._metrics.set_model(metadata.name, metadata.version)
        self._note("installed", folder)

    def _refuse(self, folder: str, fingerprint: Fingerprint, error: Exception) -> None:
        self._refused[folder] = fingerprint
        is_known = isinstance(error, ModelStoreError)
        logger.error("version refused: %s", error, exc_info=None if is_known else error)
        reason = str(error).replace(f"{self._store}/", "") if is_known else "It cannot be loaded."
        current = self._networks.current
        states = {**current.states, folder: VersionState("failed", reason=reason)}
        self._networks.replace(_change(current, current.catalogue, current.batchers, states))
        self._metrics.count_store_change("refused")

    def _note(self, change: str, folder: str) -> None:
        self._metrics.count_store_change(change)
        logger.info("version %s", change, extra={"fields": {"folder": folder}})


def _change(
    current: Snapshot,
    versions: Iterable[ModelMetadata],
    batchers: Mapping[ModelKey, Batcher],
    states: Mapping[str, VersionState],
) -> Snapshot:
    """Return a snapshot with other versions, of whose queues ``batchers`` has all or more."""
    catalogue = current.catalogue.with_versions(versions)
    kept = {model.key: batchers[model.key] for model in catalogue}
    return Snapshot(catalogue, MappingProxyType(kept), MappingProxyType(dict(sorted(states.items()))))


def _read_store(store: Path) -> dict[str, Fingerprint]:
    """Return the fingerprint of each folder ``NAME/VERSION``: empty for one that changes meanwhile."""
    found: dict[str, Fingerprint] = {}
    try:
        for folder in list_versions(store):
            try:
                found[f"{folder.parent.name}/{folder.name}"] = read_fingerprint(folder)
            except OSError:
                found[f"{folder.parent.name}/{folder.name}"] = ()
    except OSError:  # a folder of versions has vanished, or the whole store
        return {}
    return found
