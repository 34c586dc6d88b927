"""Swagger UI, whose files the package fastapi-offline carries, under a policy that lets it load nothing else."""

import base64
import hashlib
import re
from copy import deepcopy
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
# Swagger UI has its icons as data, shows pictures as blobs, and writes styles into its elements.
POLICY = (
    "default-src 'none'; script-src 'self' 'sha256-{digest}'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def swagger_assets() -> StaticFiles:
    """Serve Swagger UI's files."""
    return StaticFiles(directory=Path(str(files(fastapi_offline))) / "static")


@cache
def swagger_page() -> HTMLResponse:
    """Return FastAPI's page; of the scripts inside it, the policy allows the one that starts Swagger UI."""
    page = get_swagger_ui_html(
        openapi_url="docs/openapi.json",
        title="denoiser",
        swagger_js_url="docs/assets/swagger-ui-bundle.js",
        swagger_css_url="docs/assets/swagger-ui.css",
        swagger_favicon_url="docs/assets/favicon.png",
        swagger_ui_parameters={"tryItOutEnabled": True, "defaultModelsExpandDepth": 0},
    )
    (script,) = INLINE_SCRIPT.findall(bytes(page.body))
    digest = base64.b64encode(hashlib.sha256(script).digest()).decode()
    page.headers["Content-Security-Policy"] = POLICY.format(digest=digest)
    return page


def describe_for_swagger(description: dict[str, Any]) -> dict[str, Any]:
    """Return a description whose forms have only the parts that are required; the query has the other parameters, too.

    Swagger UI fills every part of a form with a value that it makes up, and sends it.
    """
    shown = deepcopy(description)
    for operation in (operation for path in shown["paths"].values() for operation in path.values()):
        form = operation.get("requestBody", {}).get("content", {}).get("multipart/form-data")
        if form is not None:
            schema = form["schema"]
            schema["properties"] = {part: schema["properties"][part] for part in schema["required"]}
            for part in schema["properties"].values():
                if part["type"] == "array":
                    part["default"] = []
    return shown
