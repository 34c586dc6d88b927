"""The servers that are measured: this service and its peers, in each form that may be their best, and the echo."""

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.harness.processes import REPOSITORY

PEERS_PYTHON = REPOSITORY / ".venv-benchmark/bin/python"
OURS = "denoiser"
OURS_OPENVINO = "denoiser, OpenVINO"
ECHO = "FastAPI echo"
PREDICT = "FastAPI + Keras predict"
SIGNATURE = "FastAPI + signature"
LITSERVE = "LitServe"
BENTOML = "BentoML"
DIGITS, PHOTO = "digits", "photo"  # names of models


@dataclass(frozen=True)
class Target:
    """One server in one form; ``{port}`` in the command stands for the port."""

    name: str
    command: tuple[str, ...]
    form: str = ""
    environment: dict[str, str] = field(default_factory=dict)


def find_model(name: str = DIGITS) -> Path:
    """Return the newest SavedModel of that name, or else the first in the store; all servers serve the digits'."""
    store = REPOSITORY / "model_store"
    folders = [*sorted((store / name).glob("[0-9]*"), reverse=True), *sorted(store.glob("*/[0-9]*"))]
    if not folders:
        msg = f"{store} has no model"
        raise SystemExit(msg)
    return folders[0]


def ours(store: Path, runtime: str = "tensorflow", *, workers: int = 1) -> Target:
    """Return this service with a store of one model, and a slot for each client: peers refuse no request either."""
    command = (sys.executable, "-m", "app", "serve", "--port", "{port}", "--workers", str(workers))
    settings = {
        "MODEL_STORE": str(store),
        "QUEUE_SIZE": "256",
        "DRAIN_GRACE_S": "0",
        "RUNTIME": runtime,
        "LOG_LEVEL": "warning",  # the peers log no requests either
    }
    name = OURS_OPENVINO if runtime == "openvino" else OURS
    environment = {f"DENOISER_{key}": value for key, value in settings.items()}
    return Target(name, command, _describe_workers(workers), environment)


def echo() -> Target:
    """Return the echo, in the environment of the service."""
    return Target(ECHO, _uvicorn(sys.executable, "echo", workers=1))


def peers() -> dict[str, tuple[Target, ...]]:
    """Return the forms of each peer, of which the fastest is measured; TensorFlow's threads are part of the form."""
    return {
        LITSERVE: (
            _litserve(1, 1, fast_queue=False),
            _litserve(16, 1, fast_queue=True),
            _litserve(64, 1, fast_queue=False),
            _litserve(64, 1, fast_queue=True),
            *(
                _single_threaded(_litserve(batch, workers, fast_queue=True))
                for batch in (1, 16, 64)
                for workers in (1, 2)
            ),
        ),
        BENTOML: (
            _bentoml("bentoml_service:Front", "batches up to 64"),
            _single_threaded(_bentoml("bentoml_service:Front", "batches up to 64")),
            _bentoml("bentoml_single:Denoiser", "1 worker", BENCHMARK_WORKERS="1"),
            _single_threaded(_bentoml("bentoml_single:Denoiser", "1 worker", BENCHMARK_WORKERS="1")),
            _single_threaded(_bentoml("bentoml_single:Denoiser", "2 workers", BENCHMARK_WORKERS="2")),
        ),
        SIGNATURE: _fastapi(SIGNATURE, "fastapi_signature"),
        PREDICT: _fastapi(PREDICT, "fastapi_predict"),
    }


def _single_threaded(target: Target) -> Target:
    """Let TensorFlow compute with one thread, as the service does for small networks."""
    threads = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    return replace(target, form=f"{target.form}, 1 thread", environment=target.environment | threads)


def _fastapi(name: str, module: str) -> tuple[Target, ...]:
    forms = tuple(
        Target(name, _uvicorn(str(PEERS_PYTHON), module, workers=workers), _describe_workers(workers))
        for workers in (1, 2)
    )
    return forms + tuple(_single_threaded(target) for target in forms)


def _describe_workers(count: int) -> str:
    return f"{count} worker{'s' * (count > 1)}"


def _uvicorn(python: str, module: str, *, workers: int) -> tuple[str, ...]:
    return (
        python, "-m", "uvicorn", f"benchmarks.peers.{module}:create_app", "--factory", "--port", "{port}",
        "--workers", str(workers), "--no-access-log", "--log-level", "warning",
    )  # fmt: skip


def _litserve(batch: int, workers: int, *, fast_queue: bool) -> Target:
    command = [str(PEERS_PYTHON), "-m", "benchmarks.peers.litserve_server", "--port", "{port}"]
    command += ["--max-batch-size", str(batch), "--workers", str(workers), *["--fast-queue"] * fast_queue]
    command += ["--batch-timeout", "0.002"] * (batch > 1)
    queue = "fast queue" if fast_queue else "plain queue"
    return Target(LITSERVE, tuple(command), f"batches up to {batch}, {_describe_workers(workers)}, {queue}")


def _bentoml(service: str, form: str, **environment: str) -> Target:
    command = (str(PEERS_PYTHON), "-m", "bentoml", "serve", f"benchmarks.peers.{service}", "--port", "{port}")
    quiet = {"BENTOML_DO_NOT_TRACK": "True", "BENTOML_HOST": "127.0.0.1"}
    return Target(BENTOML, command, form, environment | quiet)
