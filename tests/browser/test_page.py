"""The page at /: a picture goes in, and the result can be looked at and downloaded."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.app.pictures import digit, encode, gradient
from tests.app.processes import RunningService
from tests.browser.bench import choose_file, download, open_bench, result_after, sent_bytes, shown_size

DIGIT = encode(np.rint(255 * digit(height=28, width=28, size=20)).astype(np.uint8))
FOUR_BEFORE = "Before: four.png, 28\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}28"
DROP = """([type, name, bytes]) => {
  const files = new DataTransfer();
  files.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
  const options = { bubbles: true, cancelable: true };
  document.body.dispatchEvent(type === "drop"
    ? new DragEvent("drop", { ...options, dataTransfer: files })
    : new ClipboardEvent("paste", { ...options, clipboardData: files }));
}"""


def test_the_first_view_is_a_denoised_sample_and_less_than_170_kilobytes(page: Page, service: RunningService) -> None:
    sizes: dict[str, int] = {}
    page.on("response", lambda response: sizes.update({response.url: int(response.headers["content-length"])}))
    open_bench(page, service.url)
    assert shown_size(page.locator("#before")) == shown_size(page.locator("#after")) == [28, 28]
    expect(page.get_by_role("status")).to_contain_text("Denoised by digits/2")
    assert sum(size for url, size in sizes.items() if "/samples/" not in url) < 170_000


def test_a_chosen_file_is_sent_as_it_is_and_described(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    response = result_after(page, choose_file(page, "four.png", DIGIT))
    assert sent_bytes(response.request) == DIGIT
    expect(page.get_by_label("Add noise")).not_to_be_checked()
    assert shown_size(page.locator("#after")) == [28, 28]
    expect(page.locator("#before")).to_have_attribute("alt", FOUR_BEFORE)
    facts = {"Model": "digits/2", "Picture": "28 × 28", "Polarity": "light-on-dark", "Batch size": "1"}
    for term, description in facts.items():
        expect(page.locator("#facts div", has_text=term)).to_have_text(f"{term}{description}")


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_picture_can_be_dropped_or_pasted(page: Page, service: RunningService, way: str) -> None:
    open_bench(page, service.url)
    response = result_after(page, lambda: page.evaluate(DROP, [way, "four.png", list(DIGIT)]))
    assert sent_bytes(response.request) == DIGIT


def test_the_stage_times_are_a_bar_with_a_legend(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    legend = page.locator("#timing-legend li").all_inner_texts()
    assert len(legend) == page.locator("#timing-bar span").count() == 6
    milliseconds = [float(re.findall(r"([\d.]+) ms", entry)[0]) for entry in legend]
    total = float(page.locator("#wall").inner_text().removesuffix(" ms"))
    assert sum(milliseconds) == pytest.approx(total, rel=0.05)


def test_the_result_can_be_downloaded(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    result_after(page, choose_file(page, "my four.png", DIGIT))
    directly = page.request.post(f"{service.url}/v1/denoise", data=DIGIT)
    assert download(page, "Download PNG") == ("my four-denoised.png", directly.body())


@pytest.mark.parametrize("context_options", [{"permissions": ["clipboard-read", "clipboard-write"]}])
def test_the_equivalent_code_can_be_copied(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    result_after(page, choose_file(page, "it's four.png", DIGIT))
    result_after(page, lambda: page.get_by_label("Fit to the network").select_option("pad"))
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    command = shlex.split(page.evaluate("navigator.clipboard.readText()"))
    assert command == ["curl", "--data-binary", "@it's four.png", "-o", "it's four-denoised.png",
                       f"{service.url}/v1/denoise?model=auto&fit=pad"]  # fmt: skip


def test_python_and_javascript_do_the_same(page: Page, service: RunningService, tmp_path: Path) -> None:
    open_bench(page, service.url)
    response = result_after(page, choose_file(page, 'a "four".png', DIGIT))
    (tmp_path / 'a "four".png').write_bytes(DIGIT)
    node = shutil.which("node")
    for language, command in (
        ("Python", [sys.executable]),
        ("JavaScript", [node, "--input-type=module"] if node else None),
    ):
        page.get_by_role("button", name=language).click()
        code = page.locator("#snippet").inner_text()
        assert response.url in code
        if command:
            subprocess.run(command, input=code, text=True, cwd=tmp_path, timeout=60, check=True)
            assert (tmp_path / 'a "four"-denoised.png').read_bytes() == page.request.post(
                response.url, data=DIGIT
            ).body()


def test_the_result_comes_in_the_chosen_format_and_sizes_can_be_compared(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    response = result_after(page, lambda: page.get_by_label("Format").select_option("jpeg"))
    name, content = download(page, "Download JPEG")
    assert name == "seven-noisy-denoised.jpg"
    assert content == page.request.post(response.url, data=sent_bytes(response.request)).body()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("button", name="Compare")).to_be_enabled()
    texts = page.locator("#format option").all_inner_texts()
    assert [re.sub(r"[\d.]+", "0", text) for text in texts] == [
        f"{name}, 0\N{NO-BREAK SPACE}bytes" for name in ("PNG", "JPEG", "WebP", "AVIF")
    ]
    assert texts[1].startswith(f"JPEG, {len(content)}")


def test_what_is_sent_can_be_saved_for_that_command(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    response = result_after(page, page.get_by_role("button", name="a three").click)
    assert download(page, "Save the picture that is sent") == ("three-noisy.png", sent_bytes(response.request))


def test_a_format_that_the_browser_cannot_show_is_denoised_nonetheless(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    response = result_after(page, choose_file(page, "scan.tif", encode(gradient(), "TIFF"), "image/tiff"))
    assert response.headers["x-input-size"] == "17x23"
    expect(page.locator("#after")).to_be_visible()
    expect(page.locator("#before")).to_be_hidden()
    expect(page.get_by_text("This browser cannot show the picture")).to_be_visible()
    expect(page.get_by_label("Add noise")).to_be_disabled()


def test_a_late_response_does_not_replace_a_newer_one(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    held = []
    page.route(re.compile("fit=pad"), lambda route: held.append(route), times=1)
    with page.expect_request(re.compile("fit=pad")):
        page.locator("#fit").select_option("pad")
    response = result_after(page, choose_file(page, "four.png", DIGIT))
    assert response.url.endswith("/v1/denoise?model=auto&fit=pad")
    held[0].abort()  # the page no longer waits for it
    expect(page.locator("#before")).to_have_attribute("alt", FOUR_BEFORE)
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_model_card_is_one_click_away(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    page.get_by_role("link", name="Model card").click()
    expect(page.get_by_role("heading", name="digits/2")).to_be_visible()
    for figure in page.locator("main img").all():
        figure.scroll_into_view_if_needed()
        assert min(shown_size(figure)) > 0
    page.get_by_role("link", name="denoiser").click()
    expect(page.get_by_role("heading", name="Models")).to_be_visible()
