"""Snapshots of what is loaded, and when their queues are closed."""

from pathlib import Path

import numpy as np
import pytest

from app.inference.batching import Batcher
from app.inference.model_store import open_store
from app.inference.networks import Networks, Snapshot
from tests.app.fakes import IdentityDenoiser, write_version

pytestmark = pytest.mark.anyio
IMAGE = np.zeros((28, 28, 1), np.float32)


@pytest.fixture
def empty(tmp_path: Path) -> Snapshot:
    write_version(tmp_path)
    return Snapshot(open_store(tmp_path, default=None), {}, {})


def with_batcher(snapshot: Snapshot, batcher: Batcher) -> Snapshot:
    return Snapshot(snapshot.catalogue, {("tiny", 1): batcher}, {})


def is_open(batcher: Batcher) -> bool:
    return any(thread.is_alive() for thread in batcher._threads)


async def test_what_is_held_answers_until_it_is_let_go_and_is_then_closed(empty: Snapshot) -> None:
    batcher = Batcher(IdentityDenoiser(), name="tiny")
    networks = Networks(with_batcher(empty, batcher))
    with networks.hold() as first, networks.hold():
        networks.replace(empty)
        assert networks.current is empty
        assert (await first.batchers["tiny", 1].submit(IMAGE)).image.shape == IMAGE.shape
    await networks.close()
    assert not is_open(batcher)


async def test_what_nothing_holds_is_closed_when_it_is_replaced(empty: Snapshot) -> None:
    batcher = Batcher(IdentityDenoiser(), name="tiny")
    networks = Networks(with_batcher(empty, batcher))
    with networks.hold():
        pass
    networks.replace(empty)
    await networks.close()
    assert not is_open(batcher)


async def test_a_queue_that_another_snapshot_in_use_has_stays_open(empty: Snapshot) -> None:
    batcher = Batcher(IdentityDenoiser(), name="tiny")
    networks = Networks(with_batcher(empty, batcher))
    with networks.hold():
        networks.replace(with_batcher(empty, batcher))
        with networks.hold() as second:
            networks.replace(empty)
            assert (await second.batchers["tiny", 1].submit(IMAGE)).image.shape == IMAGE.shape
        assert is_open(batcher)
    await networks.close()
    assert not is_open(batcher)
