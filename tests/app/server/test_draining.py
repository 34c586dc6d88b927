"""The end of a stop; tests/app/server/test_workers.py has what happens until then."""

import signal
import subprocess
import sys

import pytest

from tests.app.processes import REPOSITORY

EXIT_TIMEOUT_S = 20
HANGING_SERVICE = """
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app.processing.admission import Admission
from app.processing.deadline import Stop
from app.server.draining import DrainingServer
from app.server.listening import bind_sockets
from app.settings import Settings
from app.telemetry.logs import configure_logging


@asynccontextmanager
async def lifespan(app):
    with ThreadPoolExecutor() as pool:  # whose end waits for its threads
        pool.submit(threading.Event().wait)
        yield


configure_logging("text", "info")
settings = Settings(port=0, drain_grace_s=0.1, request_timeout_s=0.1, request_timeout_s_per_megapixel=1e9)
DrainingServer(settings, FastAPI(lifespan=lifespan), Admission(slots=1), Stop()).run(bind_sockets(settings.host, 0))
"""


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_thread_that_does_not_end_does_not_keep_the_service_from_stopping(sig: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HANGING_SERVICE], cwd=REPOSITORY, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        while "ready: " not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(sig)
        try:
            assert process.wait(EXIT_TIMEOUT_S) == 0
        finally:
            process.kill()
        rest = process.stderr.read()
    assert "work that did not end in time" in rest
    assert "Traceback" not in rest
