"""What the page says when there is no picture to show."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.app.processes import RunningService
from tests.browser.bench import DENOISE, choose_file, open_bench, result_after


def test_a_problem_shows_its_title_and_detail_and_leads_to_its_page(
    page: Page, service: RunningService, complaints: list[str]
) -> None:
    open_bench(page, service.url)
    result_after(page, choose_file(page, "notes.txt", b"no picture", "text/plain"))
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Unsupported image format")
    expect(alert).to_contain_text("PNG")
    expect(page.locator("#after")).to_be_hidden()
    expect(page.get_by_text("This browser cannot show the picture")).to_be_hidden()
    expect(page.get_by_role("link", name="Download PNG")).not_to_have_attribute("href", "")
    assert [complaint for complaint in complaints if "415" not in complaint] == []
    complaints.clear()
    alert.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Unsupported image format")).to_be_visible()


@pytest.mark.parametrize(
    ("response", "texts"),
    [
        (
            {
                "status": 429,
                "content_type": "application/problem+json",
                "headers": {"Retry-After": "7"},
                "body": '{"type": "/problems/queue-full", "title": "Queue full", "status": 429, "detail": "Too many."}',
            },
            ["Queue full", "Too many.", "wait 7 s"],
        ),
        ({"status": 502, "content_type": "text/html", "body": "<h1>Bad</h1>"}, ["502", "a server between"]),
    ],
    ids=["429", "502"],
)
def test_a_refusal_is_explained_and_a_retry_works(  # fixtures
    page: Page, service: RunningService, complaints: list[str], response: dict[str, object], texts: list[str]
) -> None:
    open_bench(page, service.url)

    def refuse(route: Route) -> None:
        route.fulfill(**response)  # type: ignore[arg-type]  # Playwright's options

    page.route(DENOISE, refuse)
    again = page.get_by_role("button", name="Run again")
    result_after(page, again.click)
    for text in texts:
        expect(page.get_by_role("alert")).to_contain_text(text)
    page.unroute(DENOISE)
    result_after(page, again.click)
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(page.locator("#after")).to_be_visible()
    complaints.clear()


def test_a_service_out_of_reach_gives_no_response(page: Page, service: RunningService, complaints: list[str]) -> None:
    open_bench(page, service.url)
    page.context.set_offline(True)
    page.get_by_role("button", name="Run again").click()
    expect(page.get_by_role("alert")).to_contain_text("No response")
    page.context.set_offline(False)
    result_after(page, page.get_by_role("button", name="Run again").click)
    expect(page.get_by_role("alert")).to_be_hidden()
    complaints.clear()


def test_a_page_that_found_no_models_finds_them_on_a_retry(
    page: Page, service: RunningService, complaints: list[str]
) -> None:
    page.route("**/v1/models", lambda route: route.abort())
    page.goto(f"{service.url}/")
    expect(page.get_by_role("alert")).to_contain_text("No response")
    page.unroute("**/v1/models")
    result_after(page, page.get_by_role("button", name="Run again").click)
    expect(page.locator("#after")).to_be_visible()
    complaints.clear()
