"""Swagger UI without a browser; tests/browser has it in one."""

import base64
import hashlib
import re

from fastapi.testclient import TestClient


def test_its_page_cannot_be_framed_and_runs_nothing_that_it_does_not_bring(client: TestClient) -> None:
    page = client.get("/docs")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    (script,) = re.findall("<script>(.*?)</script>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy["frame-ancestors"] == policy["default-src"] == "'none'"
    assert policy["script-src"] == f"'self' 'sha256-{digest}'"


def test_everything_that_its_page_names_is_there(client: TestClient) -> None:
    page = client.get("/docs").text
    addresses = re.findall(r"""(?:src|href|url)(?:=|: )["']([^"']+)["']""", page)
    assert len(addresses) == 4
    for address in addresses:
        assert client.get(f"/{address}").status_code == 200, address
