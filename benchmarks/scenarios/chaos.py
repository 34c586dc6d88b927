"""Break the service on purpose: kill its processes, stop it during an attack, take its disk and its files away.

``python -m benchmarks.scenarios.chaos`` prints the table for docs/benchmarks.md.
"""

import os
import resource
import signal
import socket
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from benchmarks.harness import pictures
from benchmarks.harness.clients import TIMEOUT_S, ask, clients, wait_until
from benchmarks.harness.machine import describe_machine
from benchmarks.harness.processes import Server, cpu_seconds, get, post, proportional_bytes, tree
from benchmarks.harness.tables import table
from benchmarks.scenarios.overload import our_server
from tests.app.bombs import BOMBS

CLIENTS = 4
REQUESTS = 200  # after a fault
DEADLINE_S = 5
ATTACKS = 3  # pictures that are in work when SIGTERM comes
FEW_FILES = 64
SILENT = 200  # connections
TMPFS_BYTES = 2**22  # more than two workers reserve in it
SLOW_BOMB = "pnm-maxval"
SLOW_PICTURE = b"P5 1000 1000 254 " + bytes(1000 * 1000)  # Pillow scales each sample in Python, for two seconds

Row = tuple[str, str, str]


def main() -> None:
    """Break it in each way, and print the table."""
    print(chaos_table(measure_chaos()))


def measure_chaos() -> list[Row]:
    """Return the rows of the table, one for each fault; each service is a new one."""
    faults: list[Callable[[], Row]] = [
        _kill_worker, _kill_parent, _kill_decoder, _stop_during_attack, _fill_temporary_folder, _take_files_away,
    ]  # fmt: skip
    return [fault() for fault in faults]


def chaos_table(rows: list[Row]) -> str:
    """Return the table, as Markdown."""
    return f"Machine: {describe_machine()}.\n\n" + table(("fault", "what clients saw", "asked"), rows)


def _kill_worker() -> Row:
    with our_server(DENOISER_WORKERS="2") as server, _digit_clients(server) as outcomes:
        workers = _workers(server)
        os.kill(workers[0], signal.SIGKILL)
        start = time.perf_counter()
        wait_until(lambda: len(_workers(server)) == len(workers) and workers[0] not in _workers(server))
        replaced_s = time.perf_counter() - start
    seen = f"{_counts(outcomes)}; another worker begins to start after {replaced_s * 1000:.0f} ms"
    return "one of 2 workers is killed under load", seen, f"at most {CLIENTS} requests without a response"


def _kill_parent() -> Row:
    with our_server(DENOISER_WORKERS="2") as server:
        pids = tree(server.process.pid)
        server.process.kill()
        start = time.perf_counter()
        server.process.wait()
        wait_until(lambda: not any(_is_running(pid) for pid in pids))
        ended_s = time.perf_counter() - start
        with socket.create_server(("127.0.0.1", server.port)):
            pass  # the port is free
    return (
        "the parent of 2 workers is killed",
        f"all {len(pids)} processes gone after {ended_s:.1f} s, port free",
        "< 5 s",
    )


def _kill_decoder() -> Row:
    with our_server() as server, ThreadPoolExecutor(1) as client:
        slow = client.submit(post, server.port, SLOW_PICTURE, timeout_s=TIMEOUT_S)
        wait_until(lambda: any(cpu_seconds(pid) > 0 for pid in _decoders(server)))
        busiest = max(_decoders(server), key=cpu_seconds)
        os.kill(busiest, signal.SIGKILL)
        status, _ = slow.result()
        start = time.perf_counter()
        following, _ = post(server.port, pictures.to_png(pictures.noisy_digit()))
        next_s = time.perf_counter() - start
    seen = f"its picture {status}, the next one {following} after {next_s * 1000:.0f} ms"
    return "a decoder is killed at work", seen, "422, then 200"


def _stop_during_attack() -> Row:
    settings = {"DENOISER_REQUEST_TIMEOUT_S": str(DEADLINE_S), "DENOISER_DRAIN_GRACE_S": "0"}
    bomb = BOMBS[SLOW_BOMB]()
    with our_server(**settings) as server, ThreadPoolExecutor(ATTACKS) as attackers:
        attacks = [attackers.submit(ask, server.port, bomb) for _ in range(ATTACKS)]
        wait_until(lambda: f"denoiser_in_work {ATTACKS}.0".encode() in get(server.port, "/metrics")[1])
        pids = tree(server.process.pid)
        memory = sum(map(proportional_bytes, pids))
        server.process.send_signal(signal.SIGTERM)
        start = time.perf_counter()
        code = server.process.wait(TIMEOUT_S)
        ended_s = time.perf_counter() - start
        left = sum(map(_is_running, pids))
        outcomes = Counter(attack.result() for attack in attacks)
    seen = f"exit {code} after {ended_s:.1f} s, {left} processes left, {memory / 1e6:.0f} MB; {_counts(outcomes)}"
    return (
        f"SIGTERM while {ATTACKS} bombs are decoded, deadline {DEADLINE_S} s",
        seen,
        f"exit 0 within {DEADLINE_S + 10} s",
    )


def _fill_temporary_folder() -> Row:
    fault = "the temporary folder of 2 workers is full"
    with _small_disk() as folder:
        if folder is None:
            return fault, "not measured: a small disk needs root", ""
        with our_server(DENOISER_WORKERS="2", TMPDIR=str(folder)) as server:
            with (folder / "fill").open("wb", buffering=0) as file:
                while _has_room(file.write, bytes(4096)):
                    pass
            with _digit_clients(server) as outcomes:
                pass
            outcomes[str(get(server.port, "/metrics")[0]) + " for /metrics"] += 1
    return fault, _counts(outcomes), "200 only"


def _take_files_away() -> Row:
    with ExitStack() as server_stack, ExitStack() as stack:
        with _few_files():
            server = server_stack.enter_context(our_server())
        for _ in range(SILENT):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        probes = Counter(get(server.port, path)[0] for path in ("/livez", "/readyz"))
        digit = ask(server.port, pictures.to_png(pictures.noisy_digit()))
        stack.close()
        start = time.perf_counter()
        wait_until(lambda: ask(server.port, pictures.to_png(pictures.noisy_digit())) == "200")
        again_s = time.perf_counter() - start
    seen = f"probes {_counts(probes)}; a digit {digit}; 200 again {again_s * 1000:.0f} ms after they left"
    return f"{FEW_FILES} file descriptors, {SILENT} silent connections", seen, "probes 200, a digit 503"


def _digit_clients(server: Server) -> AbstractContextManager[Counter[str]]:
    return clients(server.port, pictures.to_png(pictures.noisy_digit()), count=CLIENTS, after=REQUESTS)


def _counts(outcomes: Mapping[str, int] | Mapping[int, int]) -> str:
    return ", ".join(f"{count} × {outcome}" for outcome, count in sorted(outcomes.items(), key=str))


def _workers(server: Server) -> list[int]:
    return [pid for pid in tree(server.process.pid) if b"spawn_main" in _command_line(pid)]


def _decoders(server: Server) -> list[int]:
    """Return the decoders: the processes that the fork server has forked."""
    found = [pid for pid in tree(server.process.pid) if b"decoder_process" in _command_line(pid)]
    return found[1:]


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has just ended
        return b""


def _is_running(pid: int) -> bool:
    """Return whether a process has not ended; a zombie has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextmanager
def _small_disk() -> Iterator[Path | None]:
    """Mount a file system in memory; None where that is not allowed."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        mount = ["/bin/mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "tmpfs", folder]
        if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            yield None
            return
        try:
            yield Path(folder)
        finally:
            subprocess.run(["/bin/umount", "--lazy", folder], check=True)


def _has_room(write: Callable[[bytes], int], block: bytes) -> bool:
    try:
        return write(block) > 0
    except OSError:
        return False


@contextmanager
def _few_files() -> Iterator[None]:
    """Start processes with a limit of FEW_FILES open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW_FILES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


if __name__ == "__main__":
    main()
