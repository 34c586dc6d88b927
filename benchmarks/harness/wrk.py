"""Generate load with wrk (https://github.com/wg/wrk), a closed loop over a number of connections."""

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.pictures import body_as

MARK = "benchmark-summary "
SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "{content_type}"
local file = io.open("{body}", "rb")
wrk.body = file:read("*a")
file:close()
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{mark}{{"requests": %d, "duration_us": %d, "p50_us": %d, "p99_us": %d, "not_2xx": %d, "broken": %d}}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """What wrk saw; ``failed`` counts statuses other than 2xx, broken connections and time-outs."""

    requests: int
    per_s: float
    p50_ms: float
    p99_ms: float
    failed: int


def require_wrk() -> str:
    """Return the path of wrk.

    Raises:
        SystemExit: it is not installed.
    """
    path = shutil.which("wrk")
    if path is None:
        msg = "wrk is not installed: on Debian and Ubuntu run 'apt-get install wrk'"
        raise SystemExit(msg)
    return path


def run_wrk(port: int, *, kind: str, png: bytes, connections: int, seconds: int) -> Load:
    """Send ``png`` over and over, ``raw`` or as ``multipart``."""
    content_type, body = body_as(kind, png)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        path = Path(folder)
        (path / "body").write_bytes(body)
        script = SCRIPT.format(content_type=content_type, body=path / "body", mark=MARK)
        (path / "load.lua").write_text(script)
        command = [require_wrk(), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "--script"]
        command += [str(path / "load.lua"), f"http://127.0.0.1:{port}/v1/denoise"]
        try:
            output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 20).stdout
        except subprocess.TimeoutExpired:  # wrk does not end before the first response
            return Load(requests=0, per_s=0.0, p50_ms=0.0, p99_ms=0.0, failed=connections)
    return parse_summary(output)


def parse_summary(output: str) -> Load:
    """Parse the line that the script prints at the end."""
    line = next(line for line in output.splitlines() if line.startswith(MARK))
    summary = json.loads(line.removeprefix(MARK))
    return Load(
        requests=summary["requests"],
        per_s=summary["requests"] / (summary["duration_us"] / 1e6),
        p50_ms=summary["p50_us"] / 1000,
        p99_ms=summary["p99_us"] / 1000,
        failed=summary["not_2xx"] + summary["broken"],
    )
