"""Run a server as a process tree: start it, wait for its first response, read its CPU time and memory from /proc."""

import http.client
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

REPOSITORY = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 2.0  # then it is killed; LitServe, for one, takes longer
POLL_S = 0.02
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


@dataclass(frozen=True)
class Server:
    """A started server."""

    process: subprocess.Popen[bytes]
    port: int
    ready_s: float
    log: Path

    def cpu_s(self) -> float:
        """Return the user and system seconds of the whole tree so far."""
        return sum(cpu_seconds(pid) for pid in tree(self.process.pid))

    def peak_bytes(self) -> int:
        """Return the sum of the peak resident sets; shared pages count once for each process."""
        return sum(memory_bytes(pid, "VmHWM") for pid in tree(self.process.pid))

    def resident_bytes(self) -> int:
        """Return the sum of the current resident sets."""
        return sum(memory_bytes(pid, "VmRSS") for pid in tree(self.process.pid))


@contextmanager
def running_server(
    command: Sequence[str], *, port: int, environment: Mapping[str, str], probe: bytes
) -> Iterator[Server]:
    """Start ``command``, wait until it denoises ``probe``, and stop the whole tree at the end.

    Raises:
        RuntimeError: it ended, or did not respond in START_TIMEOUT_S; the text has the end of its log.
    """
    with tempfile.NamedTemporaryFile(prefix="benchmark-", suffix=".log") as log:
        start = time.perf_counter()
        process = _start(command, environment, log)
        try:
            _wait_until_ready(process, port, probe, Path(log.name))
            yield Server(process, port, time.perf_counter() - start, Path(log.name))
        finally:
            stop(process)


def free_port() -> int:
    """Find a TCP port on which no process listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def post(
    port: int,
    body: bytes,
    content_type: str = "image/png",
    *,
    path: str = "/v1/denoise",
    timeout_s: float = 30.0,
) -> tuple[int, bytes]:
    """Send one picture; return the status and body of the response."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("POST", path, body, {"Content-Type": content_type})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a process and all its descendants: first with SIGINT, then with SIGKILL."""
    pids = tree(process.pid)
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.wait()


def tree(root: int) -> list[int]:
    """Return the ids of a process and all its descendants."""
    found = [root]
    for pid in found:
        for children in (PROC / str(pid) / "task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:  # the thread has just ended
                continue
    return found


def cpu_seconds(pid: int) -> float:
    """Return the user and system time of one process, 0 if it has ended."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S if fields else 0.0


def busy_seconds() -> float:
    """Return how many seconds the machine's cores were busy or stolen so far, in all processes; see proc_stat(5)."""
    user, nice, system, _idle, _iowait, irq, softirq, steal = (PROC / "stat").read_text().split()[1:9]
    return sum(map(int, (user, nice, system, irq, softirq, steal))) / TICKS_PER_S


def own_cpu_seconds() -> float:
    """Return the user and system time of this process and of its children that have ended."""
    return sum(os.times()[:4])


def memory_bytes(pid: int, field: str) -> int:
    """Return ``VmHWM`` or ``VmRSS`` of one process, 0 if it has ended."""
    try:
        lines = (PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:")), 0)


def proportional_bytes(pid: int) -> int:
    """Return the memory of one process, 0 if it has ended; what several share is divided between them."""
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _stat(pid: int) -> list[str]:
    """Return the fields of proc_pid_stat(5) from the third on; the second, the name, may hold spaces and brackets."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _start(command: Sequence[str], environment: Mapping[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", **environment},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, probe: bytes, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if post(port, probe)[0] == http.client.OK:
                return
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(POLL_S)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    msg = f"the server did not become ready:\n{tail}"
    raise RuntimeError(msg)
