"""The pages on a phone, in dark mode, behind a path prefix, and with enough contrast."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.app.processes import RunningService
from tests.browser.bench import open_bench, result_after

# WCAG 2.2, 1.4.3 and its definitions of relative luminance and contrast ratio
LOW_CONTRAST = """() => {
  const luminance = ([r, g, b]) => [r, g, b].map(level => level / 255)
    .map(level => level <= 0.04045 ? level / 12.92 : ((level + 0.055) / 1.055) ** 2.4)
    .reduce((sum, level, channel) => sum + level * [0.2126, 0.7152, 0.0722][channel], 0);
  const parse = colour => colour.match(/[\\d.]+/g).map(Number);
  const ground = element => {
    const colour = parse(getComputedStyle(element).backgroundColor);
    return colour.length === 3 || colour[3] === 1 ? colour : ground(element.parentElement);
  };
  const hasText = element => [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
  return [...document.querySelectorAll("body *")]
    .filter(element => hasText(element) && element.checkVisibility() && !element.closest(":disabled, [aria-disabled=true], .hidden-text, script, noscript"))
    .map(element => {
      const [one, other] = [luminance(parse(getComputedStyle(element).color)), luminance(ground(element))];
      return [(Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05), element.outerHTML.slice(0, 80)];
    })
    .filter(([ratio]) => ratio < 4.5);
}"""  # noqa: E501
OVERFLOW = "() => document.documentElement.scrollWidth - window.innerWidth"


@pytest.mark.parametrize(
    "context_options", [{"color_scheme": "light"}, {"color_scheme": "dark"}], ids=["light", "dark"]
)
def test_text_has_contrast_in_both_schemes(
    page: Page, service: RunningService, context_options: dict[str, object]
) -> None:
    open_bench(page, service.url)
    is_dark = context_options["color_scheme"] == "dark"
    ground = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    assert (max(map(int, re.findall(r"\d+", ground))) < 64) == is_dark
    assert page.evaluate(LOW_CONTRAST) == []
    for path in ("models/digits/2", "problems/queue-full"):
        page.goto(f"{service.url}/{path}")
        assert page.evaluate(LOW_CONTRAST) == []


@pytest.mark.parametrize("context_options", [{"viewport": {"width": 390, "height": 844}, "has_touch": True}])
def test_nothing_is_wider_than_a_phone_and_a_finger_moves_the_divider(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    assert page.evaluate(OVERFLOW) == 0
    frame = page.locator("#frame").bounding_box()
    assert frame is not None
    page.touchscreen.tap(frame["x"] + frame["width"] * 0.75, frame["y"] + frame["height"] / 2)
    expect(page.get_by_role("slider", name="Divider")).to_have_attribute("aria-valuenow", "75")
    for path in ("models/digits/2", "problems/queue-full"):
        page.goto(f"{service.url}/{path}")
        assert page.evaluate(OVERFLOW) == 0


def test_the_page_works_behind_a_path_prefix(page: Page, service: RunningService) -> None:
    prefix = f"{service.url}/some/where"
    strays: list[str] = []

    def pass_on(route: Route) -> None:
        address = route.request.url
        if not address.startswith(f"{prefix}/"):
            strays.append(address)
        route.fulfill(response=route.fetch(url=address.replace(prefix, service.url)))

    page.route(f"{service.url}/**", pass_on)
    open_bench(page, prefix)
    expect(page.locator("#snippet")).to_contain_text(f"{prefix}/v1/denoise")
    result_after(page, page.get_by_role("button", name="a three").click)
    result_after(page, lambda: page.get_by_label("Model", exact=True).select_option("article"))
    page.get_by_role("link", name="Model card").click()
    expect(page.get_by_role("heading", name="article/1")).to_be_visible()
    page.locator("main img").first.evaluate("image => image.decode()")
    page.get_by_role("link", name="API").click()
    expect(page.get_by_text("Denoise one picture")).to_be_visible()
    assert strays == []
