"""Run commands in this process, and the service in one of its own, as people start it."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.__main__ import main
from tests.app.fakes import IdentityDenoiser

REPOSITORY = Path(__file__).resolve().parents[2]
READY = re.compile(r"ready: http://127\.0\.0\.1:(\d+),")
START_TIMEOUT_S = 120
FAKE = "tests.app.fake_service"


def command(*arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
    """Run ``python -m app`` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=REPOSITORY,
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=START_TIMEOUT_S,
        check=False,
    )


def environment(settings: dict[str, object]) -> dict[str, str]:
    return os.environ | {f"DENOISER_{name.upper()}": str(value) for name, value in settings.items()}


@dataclass
class RunningService:
    """A started service; ``log`` grows while it runs."""

    process: subprocess.Popen[str]
    port: int = 0
    log: list[str] = field(default_factory=list)
    is_ready: threading.Event = field(default_factory=threading.Event)
    has_ended: threading.Event = field(default_factory=threading.Event)  # with all of its processes

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def read_log(self, *, starts: int) -> None:
        """Follow the log to its end; the service is ready when ``starts`` processes have logged that."""
        for line in self.process.stderr or ():
            self.log.append(line)
            if match := READY.search(line):
                self.port = int(match[1])
                starts -= 1
            if starts == 0:
                self.is_ready.set()
        self.is_ready.set()
        self.has_ended.set()

    def child_processes(self) -> list[int]:
        """Return the ids of the worker processes, and of what else the service has started."""
        return [
            int(pid) for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        ]

    def stop(self, signal: int) -> int:
        """Send a signal, and return the exit code."""
        self.process.send_signal(signal)
        return self.process.wait(START_TIMEOUT_S)


@contextmanager
def starting_service(
    *, port: int = 0, workers: int = 1, max_files: int | None = None, module: str = "app", **settings: object
) -> Iterator[subprocess.Popen[str]]:
    """Start ``python -m app serve`` as a process group, by default on a free port, and kill it if it runs in the end.

    Args:
        port: to listen on.
        workers: processes.
        max_files: limit on open files, also on connections.
        module: what ``python -m`` runs; FAKE starts without TensorFlow.
        settings: further ones.
    """
    limited = [] if max_files is None else ["sh", "-c", f'ulimit -n {max_files}; exec "$@"', "sh"]
    process = subprocess.Popen(
        [*limited, sys.executable, "-m", module, "serve", "--port", str(port), "--workers", str(workers)],
        cwd=REPOSITORY,
        env=environment(settings),
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()


@contextmanager
def running_service(*, workers: int = 1, **options: Any) -> Iterator[RunningService]:  # noqa: ANN401  # mixed types
    """Start a service as ``starting_service`` does, and wait until it is ready."""
    with starting_service(workers=workers, **options) as process, following(process, workers) as service:
        yield service


@contextmanager
def following(process: subprocess.Popen[str], workers: int) -> Iterator[RunningService]:
    """Wait until a service is ready, and read its log to the end."""
    service = RunningService(process)
    reader = threading.Thread(target=service.read_log, kwargs={"starts": workers})
    reader.start()
    try:
        if not service.is_ready.wait(START_TIMEOUT_S) or process.poll() is not None:
            raise RuntimeError("".join(service.log))
        yield service
    finally:
        if process.poll() is None:
            process.kill()
        reader.join()


def denoise(*arguments: object, network: object = None) -> int:
    """Run ``denoise`` in this process with a fake network, and return its exit code."""
    return main(["denoise", *map(str, arguments)], load=lambda _folder: network or IdentityDenoiser())


def files(folder: Path) -> list[str]:
    """List the files of a folder and its subfolders."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
