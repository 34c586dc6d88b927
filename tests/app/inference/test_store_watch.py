"""Versions that come and go while the service runs; each look is made by hand, so that nothing is timed."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.errors import ModelStoreError
from app.inference.batching import Batcher, create_batcher
from app.inference.metadata import ModelMetadata
from app.inference.model_store import open_store
from app.inference.networks import Networks, Snapshot, VersionState
from app.inference.store_watch import StoreWatch
from app.telemetry.metrics import Metrics
from tests.app.fakes import IdentityDenoiser, write_version

pytestmark = pytest.mark.anyio

READY = VersionState("ready")


async def start(metadata: ModelMetadata) -> Batcher:
    if metadata.description == "explodes":
        msg = "a secret"
        raise ValueError(msg)
    if metadata.description == "fails":
        msg = "no kernel for this machine"
        raise ModelStoreError(msg)
    return create_batcher(IdentityDenoiser(), metadata, threads=1)


class Service:
    """What a process has loaded of a store, and its looks at it."""

    def __init__(self, store: Path, snapshot: Snapshot) -> None:
        self.store = store
        self.metrics = Metrics()
        self.networks = Networks(snapshot)
        self.watch = StoreWatch(self.networks, start, self.metrics)

    async def look(self, times: int = 1) -> None:
        for _ in range(times):
            await self.watch.look()

    def versions(self) -> list[int]:
        return sorted(self.networks.current.catalogue.models["tiny"])

    def state(self, folder: str) -> VersionState:
        return self.networks.current.states[folder]

    def changes(self, change: str) -> bool:
        return f'denoiser_store_changes_total{{change="{change}"}} 1.0' in self.metrics.render().decode()


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    write_version(tmp_path, "tiny", 1)
    write_version(tmp_path, "other", 1)
    catalogue = open_store(tmp_path, default="tiny")
    batchers = {model.key: await start(model) for model in catalogue}
    states = {f"{name}/{version}": READY for name, version in batchers}
    service = Service(tmp_path, Snapshot(catalogue, batchers, states))
    await service.look()
    yield service
    await service.networks.close()


async def test_a_new_version_answers_after_two_looks_and_old_ones_stay(service: Service) -> None:
    before = service.networks.current
    write_version(service.store, "tiny", 2)
    await service.look()
    assert service.state("tiny/2") == VersionState("loading")
    assert service.versions() == [1]
    await service.look()
    assert service.versions() == [1, 2]
    assert service.state("tiny/2").loaded_at is not None
    assert service.networks.current.batchers["tiny", 1] is before.batchers["tiny", 1]
    assert before.catalogue.find("tiny", None).version == 1
    assert service.changes("installed")


async def test_a_removed_version_no_longer_answers(service: Service) -> None:
    write_version(service.store, "tiny", 2)
    await service.look(2)
    shutil.rmtree(service.store / "tiny" / "2")
    await service.look()
    assert service.versions() == [1]
    assert "tiny/2" not in service.networks.current.states
    assert service.changes("removed")
    assert 'denoiser_model_info{model="tiny",version="2"} 0.0' in service.metrics.render().decode()


async def test_a_damaged_version_is_refused_once_and_loaded_when_it_is_mended(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write_version(service.store, "tiny", 2)
    whole = (folder / "saved_model.pb").read_bytes()
    (folder / "saved_model.pb").write_bytes(b"damaged")
    await service.look(4)
    assert service.versions() == [1]
    failed = service.state("tiny/2")
    assert failed.state == "failed"
    assert failed.reason == "tiny/2/saved_model.pb is damaged: its SHA-256 is not the one in metadata.json"
    assert [record.getMessage() for record in caplog.records if "refused" in record.getMessage()] == [
        f"version refused: {service.store}/{failed.reason}"
    ]
    assert service.changes("refused")
    (folder / "saved_model.pb").write_bytes(whole)
    await service.look(2)
    assert service.versions() == [1, 2]


async def test_a_half_copied_folder_is_left_alone_until_it_is_whole(service: Service) -> None:
    folder = write_version(service.store, "tiny", 2)
    whole = (folder / "saved_model.pb").read_bytes()
    for length in range(3):
        (folder / "saved_model.pb").write_bytes(whole[:length])
        await service.look()
        assert service.state("tiny/2").state == "loading"
    (folder / "saved_model.pb").write_bytes(whole)
    await service.look(2)
    assert service.versions() == [1, 2]
    assert not service.changes("refused")


@pytest.mark.parametrize(
    ("description", "reason"), [("fails", "no kernel for this machine"), ("explodes", "It cannot be loaded.")]
)
async def test_a_network_that_cannot_be_loaded_is_refused(service: Service, description: str, reason: str) -> None:
    write_version(service.store, "tiny", 2, description=description)
    await service.look(3)
    assert service.versions() == [1]
    assert service.state("tiny/2") == VersionState("failed", reason=reason)


@pytest.mark.parametrize("gone", ["", "tiny"])
async def test_without_the_default_model_what_is_loaded_stays_and_one_record_says_so(
    service: Service, gone: str, caplog: pytest.LogCaptureFixture
) -> None:
    away = service.store.with_name("away")
    (service.store / gone).rename(away)
    await service.look(3)
    assert service.versions() == [1]
    assert caplog.text.count("is gone from the store") == 1
    away.rename(service.store / gone)
    await service.look(2)
    assert service.versions() == [1]


async def test_the_only_version_of_the_default_model_answers_until_the_one_in_its_place_does(service: Service) -> None:
    shutil.rmtree(service.store / "tiny" / "1")
    folder = write_version(service.store, "tiny", 2)
    whole = (folder / "saved_model.pb").read_bytes()
    (folder / "saved_model.pb").write_bytes(b"damaged")
    await service.look(3)
    assert service.state("tiny/2").state == "failed"
    assert service.versions() == [1]
    (folder / "saved_model.pb").write_bytes(whole)
    await service.look(3)
    assert service.versions() == [2]


async def test_a_version_that_changes_in_place_stays_as_it_was_loaded(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    before = service.networks.current
    (service.store / "tiny/1/saved_model.pb").write_bytes(b"changed")
    await service.look(3)
    assert service.networks.current is before
    assert caplog.text.count("has changed since it was loaded") == 1


async def test_a_loop_of_links_is_no_version(service: Service) -> None:
    (service.store / "loop").symlink_to("loop")
    await service.look(2)
    assert set(service.networks.current.states) == {"tiny/1", "other/1"}


class FailingMetrics(Metrics):
    """Fails when a version is removed."""

    def count_store_change(self, change: str) -> None:
        if change == "removed":
            msg = "disk full"
            raise OSError(msg)
        super().count_store_change(change)


async def test_a_look_that_fails_is_logged_and_the_next_is_made(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    watch = asyncio.create_task(StoreWatch(service.networks, start, FailingMetrics()).run(0))
    shutil.rmtree(service.store / "other")
    while "could not be followed" not in caplog.text:  # noqa: ASYNC110  # logging has no event
        await asyncio.sleep(0)
    write_version(service.store, "tiny", 2)
    while service.versions() != [1, 2]:  # noqa: ASYNC110  # nor have snapshots
        await asyncio.sleep(0)
    watch.cancel()
