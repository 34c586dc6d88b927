"""What a service answers, for clients under test."""

import json

from tests.app.serving import Response

HEADERS = {
    "Content-Type": "image/png", "Server-Timing": "infer;dur=1.5, total;dur=2", "X-Batch-Size": "1",
    "X-Input-Size": "640x480", "X-Model-Name": "tiny", "X-Model-Version": "2", "X-Request-ID": "r1",
}  # fmt: skip


def busy(status: int = 503) -> Response:
    body = {"type": "/problems/not-ready", "title": "Not ready", "status": status, "detail": "Busy."}
    return status, {"Retry-After": "0", "X-Request-ID": "r2"}, json.dumps(body).encode()
