"""The controls of the page: each reaches the service, and only those that the network supports are shown."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.app.pictures import encode, gradient
from tests.app.processes import RunningService
from tests.browser.bench import add_photo_model, choose_file, open_bench, query_after, result_after, shown_size

NAMELESS = """() => [...document.querySelectorAll("input, select, button, a, [role=slider]")].filter(control =>
  ![...control.labels ?? []].some(label => label.textContent.trim()) && !control.ariaLabel &&
  !control.textContent.trim() && !control.querySelector("img[alt]")).map(control => control.outerHTML)"""


@pytest.mark.parametrize(
    ("control", "value", "query"),
    [
        ("fit", "mnist", "?fit=mnist"),
        ("polarity", "dark-on-light", "?polarity=dark-on-light"),
        ("output_size", "original", "?output_size=original"),
        ("model", "article", "?model=article"),
    ],
)
def test_each_control_of_a_network_for_digits_reaches_the_query(
    page: Page, service: RunningService, control: str, value: str, query: str
) -> None:
    open_bench(page, service.url)
    assert query_after(page, lambda: page.locator(f"#{control}").select_option(value)) == query
    expect(page.locator("#curl")).to_contain_text(f"/v1/denoise{query}")


def test_the_default_model_is_chosen_first_and_its_card_is_linked(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    expect(page.get_by_label("Model", exact=True)).to_have_value("digits")
    expect(page.get_by_role("link", name="Model card")).to_have_attribute("href", "models/digits/1")
    result_after(page, lambda: page.get_by_label("Model", exact=True).select_option("article"))
    expect(page.get_by_role("link", name="Model card")).to_have_attribute("href", "models/article/1")


def shown_parameters(page: Page) -> set[str | None]:
    fields = page.locator("[data-parameter]")
    return {field.get_attribute("data-parameter") for field in fields.all() if field.is_visible()}


def test_only_controls_that_the_network_supports_are_shown(page: Page, service: RunningService) -> None:
    add_photo_model(page)
    open_bench(page, service.url)
    assert shown_parameters(page) == {"fit", "polarity", "output_size"}
    query = query_after(page, lambda: page.get_by_label("Model", exact=True).select_option("photo"))
    assert query == "?model=photo"
    assert shown_parameters(page) == {"noise_level", "strength", "bit_depth", "color"}
    expect(page.locator("#facts")).to_contain_text("σ 24.7 of 255")


def test_each_control_of_a_network_for_photos_reaches_the_query(page: Page, service: RunningService) -> None:
    add_photo_model(page)
    open_bench(page, service.url)
    result_after(page, page.get_by_role("button", name="a photographer").click)
    expect(page.get_by_label("Model", exact=True)).to_have_value("photo")
    noise_level = page.get_by_role("slider", name="Noise level")
    expect(noise_level).to_be_disabled()
    expect(noise_level).to_have_attribute("max", "75")
    query_after(page, page.get_by_label("estimate").uncheck)
    query_after(page, lambda: noise_level.fill("40"))
    query_after(page, lambda: page.get_by_label("Strength").fill("1.5"))
    query_after(page, lambda: page.get_by_label("Bits per sample").select_option("16"))
    query = query_after(page, lambda: page.get_by_label("Version").select_option("1"))
    assert query == "?model=photo&version=1&noise_level=40&strength=1.5&bit_depth=16"
    query = query_after(page, lambda: page.get_by_label("Colour").select_option("gray"))
    assert query == "?model=photo&version=1&noise_level=40&strength=1.5&bit_depth=16&color=gray"


def test_a_sample_selects_a_network_of_its_kind(page: Page, service: RunningService) -> None:
    add_photo_model(page)
    open_bench(page, service.url)
    result_after(page, page.get_by_role("button", name="a cat").click)
    expect(page.get_by_label("Model", exact=True)).to_have_value("photo")
    query = query_after(page, page.get_by_role("button", name="on paper").click)
    expect(page.get_by_label("Model", exact=True)).to_have_value("digits")
    assert query == "?fit=mnist&output_size=original"
    assert shown_size(page.locator("#after")) == [480, 360]


def test_a_picture_of_another_size_keeps_its_size(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    result_after(page, choose_file(page, "photo.png", encode(gradient(90, 60))))
    assert shown_size(page.locator("#after")) == [60, 90]


def test_a_photo_for_a_network_for_digits_brings_an_offer_of_another(page: Page, service: RunningService) -> None:
    add_photo_model(page)
    open_bench(page, service.url)
    expect(page.locator("#offer")).to_be_hidden()
    result_after(page, choose_file(page, "photo.png", encode(gradient(90, 60))))
    expect(page.locator("#offer")).to_contain_text("digits shrinks it to 28 × 28 pixels.")
    query = query_after(page, page.get_by_role("button", name="Keep its size: use photo").click)
    assert query == "?model=photo"
    expect(page.get_by_label("Model", exact=True)).to_have_value("photo")
    expect(page.locator("#offer")).to_be_hidden()


def test_nothing_is_offered_if_there_is_no_other_network(page: Page, service: RunningService) -> None:
    def list_digits(route: Route) -> None:
        response = route.fetch()
        digits = [model for model in response.json()["models"] if model["name"] == "digits"]
        route.fulfill(response=response, json={"default": "digits", "models": digits})

    page.route("**/v1/models", list_digits)
    open_bench(page, service.url)
    result_after(page, choose_file(page, "photo.png", encode(gradient(90, 60))))
    expect(page.locator("#offer")).to_be_hidden()


def test_every_control_has_a_name(page: Page, service: RunningService) -> None:
    add_photo_model(page)
    open_bench(page, service.url)
    assert page.evaluate(NAMELESS) == []
