"""Snapshots of what is loaded, and when their queues are closed."""

import asyncio
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


class RecordingBatcher(Batcher):
    """Records that it is closed."""

    is_closed = False

    async def close(self) -> None:
        self.is_closed = True
        await super().close()


async def test_what_is_held_answers_until_it_is_let_go_and_is_then_closed(empty: Snapshot) -> None:
    batcher = RecordingBatcher(IdentityDenoiser(), name="tiny")
    networks = Networks(with_batcher(empty, batcher))
    with networks.hold() as first, networks.hold():
        networks.replace(empty)
        assert networks.current is empty
        assert (await first.batchers["tiny", 1].submit(IMAGE)).image.shape == IMAGE.shape
    await networks.close()
    assert batcher.is_closed


async def test_what_nothing_holds_is_closed_when_it_is_replaced(empty: Snapshot) -> None:
    batcher = RecordingBatcher(IdentityDenoiser(), name="tiny")
    networks = Networks(with_batcher(empty, batcher))
    with networks.hold():
        pass
    networks.replace(empty)
    await networks.close()
    assert batcher.is_closed


async def test_a_queue_that_another_snapshot_in_use_has_stays_open(empty: Snapshot) -> None:
    batcher = RecordingBatcher(IdentityDenoiser(), name="tiny")
    networks = Networks(with_batcher(empty, batcher))
    with networks.hold():
        networks.replace(with_batcher(empty, batcher))
        with networks.hold() as second:
            networks.replace(empty)
            assert (await second.batchers["tiny", 1].submit(IMAGE)).image.shape == IMAGE.shape
        await asyncio.sleep(0)  # a turn of the loop, in which it would be closed
        assert not batcher.is_closed
    await networks.close()
    assert batcher.is_closed
