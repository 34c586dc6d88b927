"""Work that takes its time: what the page shows of it, a preview of what can be seen, and how it is ended."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from tests.app.pictures import encode, gradient
from tests.app.processes import RunningService
from tests.browser.bench import DENOISE, add_photo_model, choose_file, decode, open_bench, sent_bytes

LARGE = (600, 800)  # height and width; so much that nothing is known of the time but that it may be long

DENOISE_LARGE = """async (bytes) => {
  const { openPicture } = await import("/static/picture/picture.js");
  const { denoiseInSteps } = await import("/static/work.js");
  const picture = await openPicture(new Blob([new Uint8Array(bytes)], { type: "image/png" }), "large.png");
  const visible = { x: 0, y: 0, width: 800, height: 600 };
  const model = { name: "photo", input: { height: null } };
  const job = { picture, query: new URLSearchParams("model=auto"), model, visible, noiseLevel: "24.7" };
  await denoiseInSteps(job, { expect() {}, preview() {} }, new AbortController().signal);
}"""


class Whole:
    """Holds requests for the whole picture back, and counts the others."""

    def __init__(self, page: Page) -> None:
        self.held: list[Route] = []
        self.previews: list[Route] = []
        page.route(DENOISE, self.hold)

    def hold(self, route: Route) -> None:
        if decode(sent_bytes(route.request)).shape[:2] == LARGE:
            self.held.append(route)
        else:
            self.previews.append(route)
            route.fallback()


def open_large(page: Page, url: str) -> Whole:
    """Open a large picture; its preview is shown, and the whole is in work."""
    add_photo_model(page)
    open_bench(page, url)
    whole = Whole(page)
    in_work(page, choose_file(page, "large.png", encode(gradient(*LARGE))))
    return whole


def in_work(page: Page, action: Callable[[], object]) -> None:
    """Do something, and wait until the preview is there and the whole picture has been sent."""
    with page.expect_request(lambda request: is_whole(request.url, request.post_data_buffer)):
        action()
    expect(page.locator("#preview")).to_be_visible()


def is_whole(url: str, body: bytes | None) -> bool:
    return bool(DENOISE.search(url)) and decode(body).shape[:2] == LARGE


def test_what_can_be_seen_of_a_large_picture_is_denoised_first(page: Page, service: RunningService) -> None:
    whole = open_large(page, service.url)
    part = decode(sent_bytes(whole.previews[0].request))
    assert 0 < part.shape[0] * part.shape[1] <= 100_000
    assert abs(part.shape[1] / part.shape[0] - 400 / 600) < 0.02  # right of the divider
    expect(page.locator("#after-caption")).to_contain_text("preview")
    frame, preview = page.locator("#frame").bounding_box(), page.locator("#preview").bounding_box()
    assert frame is not None
    assert preview is not None
    assert abs(frame["x"] + 0.75 * frame["width"] - preview["x"] - preview["width"] / 2) < 2
    assert abs(preview["width"] / frame["width"] - part.shape[1] / 800) < 0.01
    whole.held[0].fallback()
    expect(page.locator("#stage")).to_have_attribute("aria-busy", "false")
    expect(page.locator("#preview")).to_be_hidden()
    expect(page.locator("#after")).to_be_visible()


def test_a_preview_is_cut_where_the_picture_is_enlarged(page: Page, service: RunningService) -> None:
    add_photo_model(page)
    open_bench(page, service.url)
    page.route(DENOISE, lambda _: None)  # no response ever, so that nothing is known about the speed
    with page.expect_request(DENOISE):
        choose_file(page, "large.png", encode(gradient(*LARGE)))()
    stage = page.locator("#stage").bounding_box()
    assert stage is not None
    page.mouse.move(stage["x"] + 0.9 * stage["width"], stage["y"] + 0.9 * stage["height"])
    page.mouse.wheel(0, -1500)
    expect(page.locator("#stage")).to_have_class(re.compile("cut"))
    with page.expect_request(re.compile("strength=1.5")) as preview:
        page.get_by_label("Strength").fill("1.5")
    part = decode(sent_bytes(preview.value))[..., 0]
    assert part.min() > gradient(*LARGE)[LARGE[0] // 2, LARGE[1] // 2]  # it is lightest at the lower right


def test_a_preview_uses_the_noise_level_that_was_estimated_for_the_whole(page: Page, service: RunningService) -> None:
    add_photo_model(page)
    open_bench(page, service.url)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if DENOISE.search(request.url) else None)
    page.evaluate(DENOISE_LARGE, list(encode(gradient(*LARGE))))
    assert [url.partition("?")[2] for url in sent] == ["model=photo&noise_level=24.7", "model=auto"]


def test_progress_is_shown_and_work_can_be_cancelled(page: Page, service: RunningService) -> None:
    whole = open_large(page, service.url)
    progress = page.locator("#progress")
    expect(progress).to_contain_text(re.compile(r"\d\.\d s"))
    with page.expect_event("requestfailed", lambda request: request == whole.held[0].request):
        page.get_by_role("button", name="Cancel").click()
    expect(progress).to_be_hidden()
    expect(page.locator("#stage")).to_have_attribute("aria-busy", "false")
    expect(page.get_by_role("status")).to_have_text("Cancelled.")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_the_escape_key_cancels_and_the_earlier_result_stays(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    page.route(DENOISE, lambda _: None)  # no response ever
    page.get_by_label("Fit to the network").select_option("pad")
    expect(page.locator("#progress")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("status")).to_have_text("Cancelled. The result is that of earlier settings.")
    expect(page.locator("#after")).to_be_visible()


def test_a_preview_goes_when_the_work_is_cancelled_and_the_earlier_result_stays(
    page: Page, service: RunningService
) -> None:
    whole = open_large(page, service.url)
    page.wait_for_timeout(1500)  # the page learns that the whole takes long
    whole.held[0].fallback()
    caption = page.locator("#after-caption")
    expect(caption).to_contain_text("800 × 600")
    earlier = caption.inner_text()
    in_work(page, lambda: page.get_by_label("Strength").fill("1.5"))
    expect(caption).to_contain_text("preview")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#preview")).to_be_hidden()
    expect(caption).to_have_text(earlier)


def test_progress_is_shown_only_of_what_is_not_quick(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    page.route(DENOISE, lambda _: None)  # no response ever
    page.clock.install(time=0)
    page.clock.pause_at(10_000)
    with page.expect_request(DENOISE):
        page.get_by_role("button", name="Run again").click()
    page.clock.run_for(350)
    expect(page.locator("#progress")).to_be_hidden()
    page.clock.run_for(150)
    expect(page.locator("#progress")).to_contain_text("0.5 s")
