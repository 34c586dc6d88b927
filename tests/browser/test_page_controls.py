"""The controls of the page: each reaches the service, and only those that the network supports are shown."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.app.pictures import encode, gradient
from tests.app.processes import RunningService
from tests.browser.bench import AUTO, add_photo_model, choose_file, open_bench, query_after, result_after, shown_size

NAMELESS = """() => [...document.querySelectorAll("input, select, button, a, [role=slider]")].filter(control =>
  ![...control.labels ?? []].some(label => label.textContent.trim()) && !control.ariaLabel &&
  !control.textContent.trim() && !control.querySelector("img[alt]")).map(control => control.outerHTML)"""


@pytest.mark.parametrize(
    ("control", "value", "query"),
    [
        ("fit", "mnist", "?model=auto&fit=mnist"),
        ("polarity", "dark-on-light", "?model=auto&polarity=dark-on-light"),
        ("output_size", "original", "?model=auto&output_size=original"),
        ("model", "article", "?model=article"),
    ],
)
def test_each_control_of_a_network_for_digits_reaches_the_query(
    page: Page, service: RunningService, control: str, value: str, query: str
) -> None:
    open_bench(page, service.url)
    assert query_after(page, lambda: page.locator(f"#{control}").select_option(value)) == query
    expect(page.locator("#snippet")).to_contain_text(f"/v1/denoise{query}")


def test_the_card_of_the_model_that_is_used_is_linked(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    expect(page.get_by_label("Model", exact=True)).to_have_value("auto")
    expect(page.get_by_role("link", name="Model card")).to_have_attribute("href", "models/digits/2")
    result_after(page, lambda: page.get_by_label("Model", exact=True).select_option("article"))
    expect(page.get_by_role("link", name="Model card")).to_have_attribute("href", "models/article/1")


def shown_parameters(page: Page) -> set[str | None]:
    fields = page.locator("[data-parameter]")
    return {field.get_attribute("data-parameter") for field in fields.all() if field.is_visible()}


def test_only_controls_that_the_network_supports_are_shown(page: Page, service: RunningService) -> None:
    add_photo_model(page)
    open_bench(page, service.url)
    assert shown_parameters(page) == {"fit", "polarity", "output_size", "format"}
    query = query_after(page, lambda: page.get_by_label("Model", exact=True).select_option("photo"))
    assert query == "?model=photo"
    assert shown_parameters(page) == {"noise_level", "strength", "bit_depth", "color", "format"}
    expect(page.locator("#facts")).to_contain_text("σ 24.7 of 255")


def test_each_control_of_a_network_for_photos_reaches_the_query(page: Page, service: RunningService) -> None:
    add_photo_model(page)
    open_bench(page, service.url)
    result_after(page, page.get_by_role("button", name="a photographer").click)
    query_after(page, lambda: page.get_by_label("Model", exact=True).select_option("photo"))
    noise_level = page.get_by_role("slider", name="Noise level")
    expect(noise_level).to_have_attribute("max", "75")
    query_after(page, lambda: noise_level.fill("40"))
    query_after(page, lambda: page.get_by_label("Strength").fill("1.5"))
    query_after(page, lambda: page.get_by_label("Bits per sample").select_option("16"))
    expect(page.get_by_label("estimate")).not_to_be_checked()
    query = query_after(page, lambda: page.get_by_label("Version").select_option("1"))
    assert query == "?model=photo&version=1&noise_level=40&strength=1.5&bit_depth=16"
    query = query_after(page, lambda: page.get_by_label("Colour").select_option("gray"))
    assert query == "?model=photo&version=1&noise_level=40&strength=1.5&bit_depth=16&color=gray"


def test_the_picture_decides_the_network_and_the_page_says_so(page: Page, service: RunningService) -> None:
    add_photo_model(page)
    open_bench(page, service.url)
    chosen = page.locator("#choice")
    query = query_after(page, choose_file(page, "large.png", encode(gradient(65, 60))))
    assert query == "?model=auto"
    expect(chosen).to_contain_text("Chosen: photo, since the picture is larger than 64 × 64 pixels.")
    query = query_after(page, choose_file(page, "small.png", encode(gradient(64, 64))))
    assert query == "?model=auto&fit=mnist&output_size=original"
    expect(chosen).to_contain_text("Chosen: digits, since the picture has at most 64 × 64 pixels.")
    assert shown_size(page.locator("#after")) == [64, 64]


def test_a_sample_of_a_digit_on_paper_gets_the_network_for_digits_and_the_next_picture_its_own(
    page: Page, service: RunningService
) -> None:
    add_photo_model(page)
    open_bench(page, service.url)
    query = query_after(page, page.get_by_role("button", name="on paper").click)
    expect(page.get_by_label("Model", exact=True)).to_have_value("digits")
    assert query == "?fit=mnist&output_size=original"
    assert shown_size(page.locator("#after")) == [480, 360]
    assert query_after(page, page.get_by_role("button", name="a cat").click) == "?model=auto"
    expect(page.get_by_label("Model", exact=True)).to_have_value("auto")


def test_the_other_kind_of_network_is_one_click_away(page: Page, service: RunningService) -> None:
    add_photo_model(page)
    open_bench(page, service.url)
    result_after(page, choose_file(page, "photo.png", encode(gradient(90, 60))))
    query = query_after(page, page.get_by_role("button", name="Use digits instead").click)
    assert query == "?fit=mnist&output_size=original"
    expect(page.locator("#choice")).to_contain_text("digits shrinks it to 28 × 28 pixels.")
    query = query_after(page, page.get_by_role("button", name="Keep its size: use photo").click)
    assert query == "?model=photo"
    expect(page.locator("#choice")).to_be_hidden()


def test_without_another_network_the_only_one_is_used(page: Page, service: RunningService) -> None:
    def list_digits(route: Route) -> None:
        response = route.fetch()
        digits = [model for model in response.json()["models"] if model["name"] == "digits"]
        route.fulfill(response=response, json=response.json() | {"models": digits, "auto": AUTO | {"large": "digits"}})

    page.route("**/v1/models", list_digits)
    open_bench(page, service.url)
    result_after(page, choose_file(page, "photo.png", encode(gradient(90, 60))))
    expect(page.locator("#facts")).to_contain_text("digits/2")
    assert shown_size(page.locator("#after")) == [60, 90]
    expect(page.get_by_role("button", name="use photo")).to_be_hidden()


def test_every_control_has_a_name(page: Page, service: RunningService) -> None:
    add_photo_model(page)
    open_bench(page, service.url)
    assert page.evaluate(NAMELESS) == []


def test_the_noise_slider_starts_from_the_estimate(page: Page, service: RunningService) -> None:
    add_photo_model(page)
    open_bench(page, service.url)
    result_after(page, page.get_by_role("button", name="a cat").click)
    slider = page.get_by_role("slider", name="Noise level")
    expect(slider).to_have_value("25")  # estimated as 24.7
    expect(page.get_by_label("estimate")).to_be_checked()
    assert query_after(page, lambda: slider.press("ArrowRight")) == "?model=auto&noise_level=26"
    expect(page.get_by_label("estimate")).not_to_be_checked()
    assert query_after(page, page.get_by_label("estimate").check) == "?model=auto"


def test_a_low_estimate_is_said_and_a_stronger_level_is_one_click_away(page: Page, service: RunningService) -> None:
    add_photo_model(page, noise_level="1.6")
    open_bench(page, service.url)
    expect(page.locator("#faint")).to_be_hidden()
    result_after(page, page.get_by_role("button", name="a cat").click)
    expect(page.locator("#faint")).to_contain_text("Little noise found: σ 1.6 of 255.")
    assert query_after(page, page.get_by_role("button", name="Stronger").click) == "?model=auto&noise_level=8"
    expect(page.get_by_role("slider", name="Noise level")).to_have_value("8")
    expect(page.locator("#faint")).to_be_hidden()


def test_settings_are_in_the_address_and_survive_a_reload(page: Page, service: RunningService) -> None:
    add_photo_model(page)
    open_bench(page, service.url)
    result_after(page, lambda: page.get_by_label("Model", exact=True).select_option("photo"))
    result_after(page, lambda: page.get_by_label("Strength").fill("1.5"))
    result_after(page, lambda: page.get_by_label("Format").select_option("webp"))
    result_after(page, lambda: page.get_by_role("slider", name="Quality").fill("70"))
    assert page.url == f"{service.url}/?model=photo&strength=1.5&format=webp&quality=70"
    assert result_after(page, page.reload).url.endswith("?model=photo&strength=1.5&format=webp&quality=70")
    expect(page.get_by_label("Strength")).to_have_value("1.5")
    expect(page.get_by_label("Model", exact=True)).to_have_value("photo")


def test_an_address_with_settings_that_do_not_exist_is_no_problem(page: Page, service: RunningService) -> None:
    response = result_after(
        page, lambda: page.goto(f"{service.url}/?model=none&fit=no&strength=x&colour=1&polarity=auto")
    )
    assert response.url.endswith("/v1/denoise?model=auto")
    expect(page.get_by_role("alert")).to_be_hidden()
