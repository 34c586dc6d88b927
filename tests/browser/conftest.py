"""A headless Chromium whose pages can reach nothing but a running service."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.app.processes import RunningService, running_service

CHROMIUM = shutil.which("chromium")
PATIENCE_MS = 60_000  # on a busy machine
OPTIONS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",  # Chromium's own needs privileges that containers do not have
]


@pytest.fixture(scope="package")
def service() -> Iterator[RunningService]:
    with running_service(default_model="digits") as running:
        yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def context_options() -> dict[str, object]:
    """The options of the browser context; tests parametrize them."""
    return {}


@pytest.fixture
def complaints() -> list[str]:
    """Errors of a page's console and code; a test that provokes some removes them."""
    return []


@pytest.fixture
def page(
    browser: Browser, service: RunningService, context_options: dict[str, object], complaints: list[str]
) -> Iterator[Page]:
    """A page whose requests to other hosts are refused; such requests and complaints fail the test."""
    own = (f"{service.url}/", "data:", f"blob:{service.url}/")
    strays: list[str] = []

    def note_strays(request: Request) -> None:
        if not request.url.startswith(own):
            strays.append(request.url)

    def note_console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    context = browser.new_context(**context_options)  # type: ignore[arg-type]  # Playwright's options
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE_MS)
    opened.route(lambda url: not url.startswith(own), lambda route: route.abort())
    opened.on("request", note_strays)
    opened.on("console", note_console)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert strays == []
    assert complaints == []
