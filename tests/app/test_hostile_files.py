"""No file stops the service, or keeps a digit waiting."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2 as httpx
import pytest

from tests.app.bombs import BOMBS
from tests.app.memory import MAX_BYTES, followed, limit_memory
from tests.app.pictures import encode, ring
from tests.app.processes import RunningService, running_service

DEADLINE_S = 5


@pytest.fixture(scope="module")
def service() -> Iterator[RunningService]:
    deadline = {"request_timeout_s": DEADLINE_S, "request_timeout_s_per_megapixel": 0}
    with running_service(default_model="article", drain_grace_s=0, **deadline) as running:
        limit_memory(running.process.pid)
        yield running


def answer_of(service: RunningService, data: bytes) -> httpx.Response:
    return httpx.post(f"{service.url}/v1/denoise", content=data, timeout=60)


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_while_digits_are_denoised(service: RunningService, name: str) -> None:
    bomb = BOMBS[name]()
    digit = encode(ring())
    with followed(service.process.pid) as memory, ThreadPoolExecutor(3) as clients:
        attacks = [clients.submit(answer_of, service, bomb) for _ in range(3)]
        while not all(attack.done() for attack in attacks):
            assert answer_of(service, digit).status_code == 200
    assert {attack.result().status_code for attack in attacks} <= {422, 503}
    assert memory.peak_bytes < MAX_BYTES
    assert answer_of(service, encode(ring(), "BMP")).status_code == 200


def test_sigterm_ends_the_service_during_an_attack(service: RunningService) -> None:
    bomb = BOMBS["pnm-maxval"]()
    with ThreadPoolExecutor(2) as clients:
        attacks = [clients.submit(answer_of, service, bomb) for _ in range(2)]
        assert answer_of(service, encode(ring())).status_code == 200
        assert service.stop(signal.SIGTERM) == 0
        for attack in attacks:
            attack.exception()
