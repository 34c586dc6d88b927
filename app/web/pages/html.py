"""What all pages share: their frame and headers, and a 304 for a client that has the current version."""

import hashlib
from html import escape
from os import PathLike, stat_result
from pathlib import Path

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"
HEADERS = {
    "Cache-Control": "no-cache",  # clients keep a copy, but ask whether it has changed
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
_FRAME = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · denoiser</title>
<link rel="icon" href="{root}static/icon.svg">
<link rel="stylesheet" href="{root}static/style.css">
<header class="bar">
<a class="mark" href="{root}.">denoiser</a>
<nav><a href="{root}.#models">Models</a> <a href="{root}docs">API</a></nav>
</header>
<main class="text">
{body}
</main>
</html>
"""


class PageFiles(StaticFiles):
    """Serves the files of a folder, and none outside it, with the headers of pages."""

    def file_response(
        self, full_path: str | PathLike[str], stat_result: stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Return a file, or a 304 if the client has it."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(HEADERS)
        return response


def html_page(request: Request, title: str, body: str) -> Response:
    """Return a page, or a 304 if the client has it; ``title`` is text, ``body`` is HTML."""
    root = "../" * (request.url.path.count("/") - 1)
    html = _FRAME.format(title=escape(title), root=root, body=body)
    headers = HEADERS | {"ETag": f'"{hashlib.sha256(html.encode()).hexdigest()[:32]}"'}
    response = HTMLResponse(html, headers=headers)
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return NotModifiedResponse(response.headers) if headers["ETag"] in known else response
