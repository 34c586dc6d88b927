"""Several pictures: a strip of thumbnails, the same settings for all, and one ZIP."""

import io
import re
import zipfile
from pathlib import Path

from playwright.sync_api import Page, Route, expect

from tests.app.processes import RunningService
from tests.browser.bench import DENOISE, Files, digits, open_bench, result_after, sent_bytes


def choose(page: Page, files: Files) -> None:
    result_after(page, lambda: page.locator("#file").set_input_files(files))


def save_all(page: Page) -> zipfile.ZipFile:
    with page.expect_download() as saved:
        page.get_by_role("button", name="Denoise all").click()
    assert saved.value.suggested_filename == "denoised.zip"
    return zipfile.ZipFile(io.BytesIO(Path(saved.value.path()).read_bytes()))


def start_and_hold(page: Page, service: RunningService, count: int) -> list[Route]:
    """Start work on so many digits, and return its requests as they come, which wait; the first digit is done."""
    open_bench(page, service.url)
    choose(page, digits(count))
    held: list[Route] = []
    page.route(DENOISE, lambda route: held.append(route))
    page.get_by_role("button", name="Denoise all").click()
    return held


def test_one_picture_has_no_strip(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    expect(page.locator("#many")).to_be_hidden()
    choose(page, digits(2))
    expect(page.locator("#many")).to_be_visible()
    choose(page, digits(1))
    expect(page.locator("#many")).to_be_hidden()


def test_all_pictures_are_denoised_with_the_same_settings_into_one_zip(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    files = digits(5)
    files[4]["name"] = "0.png"  # a second one of this name, from another folder
    choose(page, files)
    result_after(page, lambda: page.get_by_label("Format").select_option("webp"))
    with save_all(page) as archive:
        assert archive.testzip() is None
        names = ["0-denoised.webp", "1-denoised.webp", "2-denoised.webp", "3-denoised.webp", "0-denoised-2.webp"]
        assert archive.namelist() == names
        expected = page.request.post(f"{service.url}/v1/denoise?model=auto&format=webp", data=files[2]["buffer"])
        assert archive.read("2-denoised.webp") == expected.body()
    expect(page.locator("#strip").get_by_role("button", name="done")).to_have_count(5)
    expect(page.locator("#many-status")).to_have_text("5 of 5 done")


def test_a_thumbnail_shows_its_picture_and_other_settings_make_results_out_of_date(
    page: Page, service: RunningService
) -> None:
    open_bench(page, service.url)
    files = digits(3)
    choose(page, files)
    response = result_after(page, page.locator("#strip").get_by_role("button", name="2.png").click)
    assert sent_bytes(response.request) == files[2]["buffer"]
    expect(page.locator("#before")).to_have_attribute("alt", re.compile("2.png"))
    strip = page.locator("#strip")
    expect(strip.get_by_role("button", name="done")).to_have_count(2)
    expect(strip.get_by_role("button", pressed=True)).to_have_attribute("aria-label", "2.png, done")
    calls: list[str] = []
    page.on("request", lambda request: calls.append(request.url) if DENOISE.search(request.url) else None)
    strip.get_by_role("button", name="0.png").click()  # its result is known
    expect(page.locator("#before")).to_have_attribute("alt", re.compile("0.png"))
    expect(page.locator("#stage")).to_have_attribute("aria-busy", "false")
    assert calls == []
    result_after(page, lambda: page.get_by_label("Fit to the network").select_option("pad"))
    expect(strip.get_by_role("button", name="done")).to_have_count(1)
    expect(strip.get_by_role("button", name="waiting")).to_have_count(2)


def test_a_bad_file_fails_alone_and_says_why(page: Page, service: RunningService, complaints: list[str]) -> None:
    open_bench(page, service.url)
    choose(page, [*digits(2), {"name": "notes.txt", "mimeType": "image/png", "buffer": b"no picture"}])
    with save_all(page) as archive:
        assert archive.namelist() == ["0-denoised.png", "1-denoised.png"]
    expect(page.locator("#many-status")).to_have_text("2 of 3 done, 1 failed")
    page.locator("#strip").get_by_role("button", name="notes.txt, failed").click()
    expect(page.get_by_role("alert")).to_contain_text("Unsupported image format")
    assert [complaint for complaint in complaints if "415" not in complaint] == []
    complaints.clear()


def test_work_on_all_pictures_can_be_cancelled_and_few_are_in_flight(page: Page, service: RunningService) -> None:
    held = start_and_hold(page, service, 6)
    strip = page.locator("#strip")
    expect(strip.get_by_role("button", name="working")).to_have_count(3)
    expect(page.locator("#many-status")).to_have_text("1 of 6 done, 3 in work")
    expect(page.locator("#many-time")).to_have_text(
        re.compile(r"^· \d+ s$")
    )  # how long the rest takes is not known yet
    held.pop().fallback()
    expect(page.locator("#many-time")).to_have_text(re.compile(r"^· \d+ s, about \d+ s left$"))
    expect(strip.get_by_role("button", name="working")).to_have_count(3)
    page.locator("#many").get_by_role("button", name="Cancel").click()
    expect(strip.get_by_role("button", name="working")).to_have_count(0)
    expect(strip.get_by_role("button", name="waiting")).to_have_count(4)
    expect(page.locator("#many-time")).to_be_empty()
    assert len(held) == 3


def test_a_picture_that_is_in_work_with_all_is_not_sent_again_to_be_shown(page: Page, service: RunningService) -> None:
    held = start_and_hold(page, service, 3)
    strip = page.locator("#strip")
    expect(strip.get_by_role("button", name="working")).to_have_count(2)
    strip.get_by_role("button", name="1.png").click()
    expect(page.locator("#before")).to_have_attribute("alt", re.compile("1.png"))
    assert len(held) == 2
    with page.expect_download():
        for route in held:
            route.fallback()
    expect(page.locator("#after")).to_be_visible()
    expect(page.locator("#stage")).to_have_attribute("aria-busy", "false")
    assert len(held) == 2


def test_nor_is_one_that_is_shown_already_sent_again_with_all(page: Page, service: RunningService) -> None:
    held = start_and_hold(page, service, 5)
    strip = page.locator("#strip")
    expect(strip.get_by_role("button", name="working")).to_have_count(3)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if DENOISE.search(request.url) else None)
    strip.get_by_role("button", name="4.png, waiting").click()
    expect(strip.get_by_role("button", name="4.png, working")).to_be_visible()
    with page.expect_download() as saved:
        page.unroute(DENOISE)
        for route in held:
            route.fallback()
    assert len(sent) == 1
    with zipfile.ZipFile(saved.value.path()) as archive:
        assert len(archive.namelist()) == 5


def test_work_on_all_ends_when_it_is_cancelled_whatever_is_shown(page: Page, service: RunningService) -> None:
    start_and_hold(page, service, 5)
    shown = page.locator("#strip").get_by_role("button", name="4.png")
    expect(page.locator("#strip").get_by_role("button", name="working")).to_have_count(3)
    shown.click()
    expect(shown).to_have_attribute("aria-label", "4.png, working")
    page.locator("#many").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Denoise all")).to_be_visible()
    expect(shown).to_have_attribute("aria-label", "4.png, working")


def test_settings_that_change_meanwhile_count_for_all_pictures(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    choose(page, digits(4))
    held: list[Route] = []
    page.route(DENOISE, lambda route: held.append(route), times=3)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Denoise all").click()
        expect(page.locator("#strip").get_by_role("button", name="working")).to_have_count(3)
        result_after(page, lambda: page.get_by_label("Format").select_option("webp"))
        for route in held:
            route.fallback()
    with zipfile.ZipFile(saved.value.path()) as archive:
        assert archive.namelist() == [f"{number}-denoised.webp" for number in range(4)]


def test_a_busy_service_is_asked_again(page: Page, service: RunningService, complaints: list[str]) -> None:
    open_bench(page, service.url)
    choose(page, digits(2))
    refusals = iter([True])

    def refuse_once(route: Route) -> None:
        if next(refusals, False):
            route.fulfill(
                status=429, headers={"Retry-After": "0.1"}, content_type="application/problem+json", body="{}"
            )
        else:
            route.fallback()

    page.route(DENOISE, refuse_once)
    with save_all(page) as archive:
        assert len(archive.namelist()) == 2
    complaints.clear()


def test_fewer_pictures_are_in_flight_where_their_time_was_over(
    page: Page, service: RunningService, complaints: list[str]
) -> None:
    held = start_and_hold(page, service, 6)
    strip = page.locator("#strip")
    expect(strip.get_by_role("button", name="working")).to_have_count(3)
    problem = '{"type": "/problems/deadline-exceeded", "title": "Too late", "status": 503, "detail": "Too late."}'
    for route in held[:2]:
        route.fulfill(status=503, headers={"Retry-After": "1"}, content_type="application/problem+json", body=problem)
    held[2].fallback()
    expect(strip.get_by_role("button", name="done")).to_have_count(2)
    expect(strip.get_by_role("button", name="working")).to_have_count(1)
    with page.expect_download() as saved:
        page.unroute(DENOISE)
        for route in held[3:]:
            route.fallback()
    with zipfile.ZipFile(saved.value.path()) as archive:
        assert len(archive.namelist()) == 6
    complaints.clear()  # of the browser, for each 503


def test_a_picture_that_the_service_was_too_busy_for_is_tried_again_with_all(
    page: Page, service: RunningService, complaints: list[str]
) -> None:
    open_bench(page, service.url)
    problem = '{"type": "/problems/deadline-exceeded", "title": "Too late", "status": 503, "detail": "Too late."}'

    def refuse(route: Route) -> None:
        route.fulfill(status=503, headers={"Retry-After": "1"}, content_type="application/problem+json", body=problem)

    page.route(DENOISE, refuse, times=1)
    choose(page, digits(2))
    expect(page.get_by_role("alert")).to_contain_text("Too late")
    expect(page.locator("#strip").get_by_role("button", name="0.png, waiting")).to_be_visible()
    with save_all(page) as archive:
        assert len(archive.namelist()) == 2
    complaints.clear()  # of the browser, for the 503
