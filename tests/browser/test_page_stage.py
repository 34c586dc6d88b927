"""The two pictures: divider, zoom, panning, and a look at the picture before."""

import math

import pytest
from playwright.sync_api import Page, expect

from tests.app.pictures import encode, gradient
from tests.app.processes import RunningService
from tests.browser.bench import choose_file, open_bench, result_after

Point = tuple[float, float]


def box(page: Page, selector: str) -> tuple[float, float, float, float]:
    """Return left, top, width and height of an element."""
    found = page.locator(selector).bounding_box()
    assert found is not None
    return found["x"], found["y"], found["width"], found["height"]


def at(page: Page, x: float, y: float) -> Point:
    """Return the point at these shares of the stage's width and height."""
    left, top, width, height = box(page, "#stage")
    return left + x * width, top + y * height


def shown_at(page: Page, point: Point) -> Point:
    """Return which part of the picture is at a point: shares of its width and height."""
    left, top, width, height = box(page, "#frame")
    return (point[0] - left) / width, (point[1] - top) / height


def scale(page: Page) -> float:
    """Return how wide a pixel of the picture is."""
    pixels: int = page.locator("#after").evaluate("image => image.naturalWidth")
    return box(page, "#frame")[2] / pixels


def drag(page: Page, start: Point, end: Point) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end)
    page.mouse.up()


def test_the_divider_follows_the_mouse(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    divider = page.get_by_role("slider", name="Divider")
    left, top, width, height = box(page, "#frame")
    drag(page, (left + width / 2, top + height / 2), (left + width / 4, top + height / 3))
    expect(divider).to_have_attribute("aria-valuenow", "25")
    page.mouse.move(left, top + height / 2)
    expect(divider).to_have_attribute("aria-valuenow", "25")
    assert (
        page.locator(".results").evaluate("results => getComputedStyle(results).clipPath")
        == f"inset(0px 0px 0px {width / 4:g}px)"
    )


def test_the_divider_follows_the_keyboard(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    divider = page.get_by_role("slider", name="Divider")
    divider.focus()
    for key, value in (
        ("ArrowRight", "51"),
        ("Shift+ArrowLeft", "41"),
        ("PageUp", "51"),
        ("ArrowDown", "50"),
        ("End", "100"),
        ("ArrowRight", "100"),
        ("Home", "0"),
    ):
        divider.press(key)
        expect(divider).to_have_attribute("aria-valuenow", value)
    expect(divider).to_have_attribute("aria-valuetext", "0 % before, 100 % after")


def test_the_divider_stays_in_view_however_far_the_picture_is_enlarged_and_moved(
    page: Page, service: RunningService
) -> None:
    open_bench(page, service.url)
    stage_left, stage_top, stage_width, stage_height = box(page, "#stage")
    for _ in range(3):
        page.mouse.move(*at(page, 0.9, 0.9))
        page.mouse.wheel(0, -600)
        drag(page, at(page, 0.7, 0.7), at(page, 0.2, 0.3))
        left, top, width, height = box(page, "#divider")
        assert left + width / 2 == pytest.approx(stage_left + stage_width / 2, abs=1)
        assert (top, height) == pytest.approx((stage_top, stage_height), abs=1)
    drag(page, at(page, 0.5, 0.5), at(page, 0.1, 0.5))  # still by its handle
    expect(page.get_by_role("slider", name="Divider")).to_have_attribute("aria-valuenow", "10")


def test_small_results_show_their_pixels_and_fit_by_whole_pixels(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    assert scale(page) > 8
    assert scale(page).is_integer()
    expect(page.get_by_role("button", name="Fit")).to_have_attribute("aria-pressed", "true")
    assert page.locator("#after").evaluate("image => getComputedStyle(image).imageRendering") == "pixelated"
    page.get_by_role("button", name="1:1").click()
    assert scale(page) == 1
    expect(page.locator("#zoom-level")).to_have_text("100 %")
    page.get_by_role("button", name="Zoom in").click()
    assert scale(page) == 1.5


def test_the_wheel_zooms_at_the_pointer_and_scrolls_the_page_beyond(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    fitting = scale(page)
    point = at(page, 0.4, 0.7)
    before = shown_at(page, point)
    page.mouse.move(*point)
    page.mouse.wheel(0, -900)
    expect(page.get_by_role("button", name="Fit")).to_have_attribute("aria-pressed", "false")
    assert scale(page) > 3 * fitting
    assert shown_at(page, point) == pytest.approx(before, abs=0.01)
    page.get_by_role("button", name="1:1").click()
    page.mouse.move(*point)
    page.mouse.wheel(0, 300)
    expect(page.get_by_role("link", name="denoiser")).not_to_be_in_viewport()
    assert scale(page) == 1


@pytest.mark.parametrize("context_options", [{"viewport": {"width": 390, "height": 844}, "has_touch": True}])
def test_two_fingers_zoom_and_move_the_picture(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    fitting = scale(page)
    touch = page.context.new_cdp_session(page)
    middle, moved = at(page, 0.4, 0.4), at(page, 0.5, 0.5)
    before = shown_at(page, middle)

    def fingers(centre: Point, apart: float) -> list[dict[str, float]]:
        return [{"x": centre[0] + side * apart / 2, "y": centre[1], "id": side} for side in (-1, 1)]

    for kind, points in (
        ("touchStart", fingers(middle, 60)),
        ("touchMove", fingers(middle, 180)),
        ("touchMove", fingers(moved, 180)),
        ("touchEnd", []),
    ):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert scale(page) == pytest.approx(3 * fitting, rel=0.01)
    assert shown_at(page, moved) == pytest.approx(before, abs=0.01)


def test_keys_zoom_and_move_the_picture(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    fitting = scale(page)
    stage = page.locator("#stage")
    centre = at(page, 0.5, 0.5)
    stage.press("1")
    assert scale(page) == 1
    stage.press("0")
    assert scale(page) == fitting
    for _ in range(4):
        page.get_by_role("slider", name="Divider").press("+")
    assert scale(page) == pytest.approx(fitting * 1.25**4)
    x, y = shown_at(page, centre)
    stage.press("ArrowRight")
    stage.press("ArrowDown")
    right, down = shown_at(page, centre)
    assert right > x
    assert down > y
    stage.press("-")
    assert scale(page) == pytest.approx(fitting * 1.25**3)


def test_the_centre_stays_when_the_window_or_the_size_of_the_result_changes(
    page: Page, service: RunningService
) -> None:
    open_bench(page, service.url)
    result_after(page, choose_file(page, "digit.png", encode(gradient(60, 60))))
    page.mouse.move(*at(page, 0.6, 0.3))
    page.mouse.wheel(0, -500)
    expect(page.get_by_role("button", name="Fit")).to_have_attribute("aria-pressed", "false")
    before, width = shown_at(page, at(page, 0.5, 0.5)), box(page, "#frame")[2]
    page.set_viewport_size({"width": 1000, "height": 700})
    assert shown_at(page, at(page, 0.5, 0.5)) == pytest.approx(before, abs=0.01)
    result_after(page, lambda: page.get_by_label("Size of the result").select_option("model"))
    assert shown_at(page, at(page, 0.5, 0.5)) == pytest.approx(before, abs=0.01)
    assert math.isclose(box(page, "#frame")[2], width, rel_tol=0.01)


def test_a_held_key_or_button_shows_the_picture_before(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    after = page.locator("#after")
    page.keyboard.down("b")
    expect(after).not_to_be_visible()
    page.keyboard.up("b")
    expect(after).to_be_visible()
    page.get_by_role("button", name="Hold: before").hover()
    page.mouse.down()
    expect(after).not_to_be_visible()
    page.mouse.up()
    expect(after).to_be_visible()
