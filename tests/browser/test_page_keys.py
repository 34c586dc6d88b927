"""A service that wants a key: the page asks for it, sends it, and forgets one that is refused."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.app.processes import RunningService
from tests.browser.bench import DENOISE, digits, open_bench, result_after

KEY = "correct-horse-battery"


def want_key(page: Page) -> None:
    """Let the API and the model cards answer 401 without the key, as a service with keys does."""

    def guard(route: Route) -> None:
        key = route.request.headers.get("x-api-key")
        if key == KEY:
            route.fallback()
            return
        kind = "key-missing" if key is None else "key-unknown"
        problem = f'{{"type": "/problems/{kind}", "title": "No key", "status": 401, "detail": "Send a key."}}'
        route.fulfill(status=401, content_type="application/problem+json", body=problem)

    for pattern in ("**/v1/**", "**/models/**"):
        page.route(pattern, guard)


def give_key(page: Page, key: str) -> None:
    page.get_by_label("Key").fill(key)
    page.get_by_role("button", name="Use this key").click()


def test_the_page_asks_for_a_key_and_keeps_it_for_the_tab(
    page: Page, service: RunningService, complaints: list[str]
) -> None:
    want_key(page)
    page.goto(f"{service.url}/")
    expect(page.get_by_label("Key")).to_be_focused()
    give_key(page, "a wrong one")
    expect(page.locator("#key-reason")).to_contain_text("refused")
    result_after(page, lambda: give_key(page, KEY))
    expect(page.locator("#key-form")).to_be_hidden()
    expect(page.locator("#after")).to_be_visible()
    expect(page.locator("#snippet")).to_contain_text("X-API-Key: $DENOISER_KEY")
    assert KEY not in page.content()
    assert KEY not in page.url
    result_after(page, page.reload)
    assert page.evaluate("localStorage.length") == 0
    assert page.evaluate("Object.values(sessionStorage)") == [KEY]
    complaints.clear()  # of the browser, for each 401


@pytest.mark.parametrize("context_options", [{"viewport": {"width": 390, "height": 844}}])
def test_the_form_fits_a_phone(page: Page, service: RunningService, complaints: list[str]) -> None:
    want_key(page)
    page.goto(f"{service.url}/")
    button = page.get_by_role("button", name="Use this key").bounding_box()
    assert button is not None
    assert button["x"] + button["width"] < 390 - 16
    complaints.clear()  # of the browser, for the 401


def test_pictures_that_were_chosen_before_the_key_are_denoised_after_it(
    page: Page, service: RunningService, complaints: list[str]
) -> None:
    want_key(page)
    page.goto(f"{service.url}/")
    expect(page.get_by_label("Key")).to_be_focused()
    page.locator("#file").set_input_files(digits(2))
    expect(page.get_by_label("Key")).to_be_focused()
    result_after(page, lambda: give_key(page, KEY))
    expect(page.locator("#before")).to_have_attribute("alt", re.compile("0.png"))
    complaints.clear()  # of the browser, for each 401


def test_a_key_of_a_low_rate_makes_the_page_wait_not_fail(
    page: Page, service: RunningService, complaints: list[str]
) -> None:
    calls: list[Route] = []

    def limit(route: Route) -> None:
        calls.append(route)
        if len(calls) > 1:
            route.fallback()
            return
        problem = '{"type": "/problems/rate-exceeded", "title": "Too many requests", "status": 429, "detail": "Wait."}'
        headers = {"Retry-After": "1"}
        route.fulfill(status=429, content_type="application/problem+json", headers=headers, body=problem)

    page.route(DENOISE, limit)
    page.goto(f"{service.url}/")
    expect(page.locator("#after")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_hidden()
    assert len(calls) == 2
    complaints.clear()  # of the browser, for the 429


def test_a_model_card_is_shown_with_the_key(page: Page, service: RunningService, complaints: list[str]) -> None:
    want_key(page)
    page.goto(f"{service.url}/")
    result_after(page, lambda: give_key(page, KEY))
    page.get_by_role("link", name="digits/2").click()
    card = page.get_by_role("dialog", name="Model card")
    expect(card.get_by_role("heading", name="digits/2")).to_be_visible()
    card.locator("img").first.evaluate("image => image.decode()")
    with page.expect_popup() as opened:
        card.get_by_role("link", name="metadata.json").click()
    expect(opened.value.locator("body")).to_contain_text('"name":"digits"')
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    expect(page.locator("#after")).to_be_visible()
    complaints.clear()  # of the browser, for the first 401


def test_a_card_with_a_key_that_is_no_longer_known_asks_for_another(
    page: Page, service: RunningService, complaints: list[str]
) -> None:
    want_key(page)
    page.goto(f"{service.url}/")
    result_after(page, lambda: give_key(page, KEY))
    page.evaluate("sessionStorage.setItem('denoiser-key', 'another')")
    page.get_by_role("link", name="digits/2").click()
    expect(page.locator("#key-reason")).to_contain_text("refused")
    complaints.clear()  # of the browser, for each 401


def test_a_service_without_keys_gets_none(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    response = result_after(page, page.get_by_role("button", name="Run again").click)
    assert "x-api-key" not in response.request.headers
    expect(page.locator("#key-form")).to_be_hidden()
    expect(page.locator("#snippet")).not_to_contain_text("X-API-Key")
