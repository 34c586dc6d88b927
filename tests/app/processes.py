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

from app.__main__ import main
from tests.app.fakes import IdentityDenoiser

REPOSITORY = Path(__file__).resolve().parents[2]
READY = re.compile(r"ready: http://127\.0\.0\.1:(\d+),")
START_TIMEOUT_S = 120


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

    def stop(self, signal: int) -> int:
        """Send a signal, and return the exit code."""
        self.process.send_signal(signal)
        return self.process.wait(START_TIMEOUT_S)


@contextmanager
def running_service(*, workers: int = 1, **settings: object) -> Iterator[RunningService]:
    """Start ``python -m app serve`` on a free port and wait until it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "serve", "--port", "0", "--workers", str(workers)],
        cwd=REPOSITORY,
        env=environment(settings),
        stderr=subprocess.PIPE,
        text=True,
    )
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
        process.wait()
        reader.join()
        if process.stderr:
            process.stderr.close()


def denoise(*arguments: object, network: object = None) -> int:
    """Run ``denoise`` in this process with a fake network, and return its exit code."""
    return main(["denoise", *map(str, arguments)], load=lambda _folder: network or IdentityDenoiser())


def files(folder: Path) -> list[str]:
    """List the files of a folder and its subfolders."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
