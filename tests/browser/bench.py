"""Drive the page at /: open it, change something, wait for the new result."""

import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, Request, Response, Route, expect

from tests.app.pictures import digit, encode

DENOISE = re.compile(r"/v1/denoise(\?|$)")

PHOTO = {
    "name": "photo",
    "versions": [1, 2],
    "description": "Photos of any size",
    "input": {"height": None, "width": None, "channels": 1, "polarity": None},
    "noise_level": {"min": 0.0, "max": 0.294},
    "metrics": {},
}

Files = list[FilePayload]

AUTO: dict[str, Any] = {"small_side_px": 64, "small": "digits", "large": "photo"}


def open_bench(page: Page, url: str) -> None:
    """Open the page and wait for the result of its first sample."""
    result_after(page, lambda: page.goto(f"{url}/"))


def result_after(page: Page, action: Callable[[], object]) -> Response:
    """Do something that leads to a result, and wait until it is shown."""
    with page.expect_response(DENOISE) as response:
        action()
    expect(page.locator("#stage")).to_have_attribute("aria-busy", "false")
    return response.value


def query_after(page: Page, action: Callable[[], object]) -> str:
    """Do something that leads to a result, and return the query that was sent."""
    return result_after(page, action).url.partition("/v1/denoise")[2]


def choose_file(page: Page, name: str, content: bytes, media_type: str = "image/png") -> Callable[[], None]:
    return lambda: page.locator("#file").set_input_files(
        {"name": name, "mimeType": media_type, "buffer": content}  # the control is hidden behind its label
    )


def shown_size(image: Locator) -> list[int]:
    size: list[int] = image.evaluate("image => image.decode().then(() => [image.naturalWidth, image.naturalHeight])")
    return size


def download(page: Page, link: str) -> tuple[str, bytes]:
    """Follow a link that saves a file, and return its name and content."""
    with page.expect_download() as saved:
        page.get_by_role("link", name=link).click()
    return saved.value.suggested_filename, Path(saved.value.path()).read_bytes()


def decode(png: bytes | None) -> NDArray[np.uint8]:
    assert png is not None
    return np.asarray(Image.open(BytesIO(png)))


def sent_bytes(request: Request) -> bytes:
    assert request.post_data_buffer is not None
    return request.post_data_buffer


def add_photo_model(page: Page, noise_level: str = "24.7") -> None:
    """Let /v1/models list a network of any size that takes a noise level; its results are their inputs."""

    def list_models(route: Route) -> None:
        response = route.fetch()
        listed: dict[str, Any] = response.json()
        others = [model for model in listed["models"] if model["name"] != PHOTO["name"]]
        route.fulfill(response=response, json=listed | {"models": [*others, PHOTO], "auto": AUTO})

    def denoise(route: Route) -> None:
        url = route.request.url
        is_large = max(decode(sent_bytes(route.request)).shape[:2]) > AUTO["small_side_px"]
        if "model=photo" not in url and not ("model=auto" in url and is_large and "fit=mnist" not in url):
            route.fallback()
            return
        headers = {
            "Server-Timing": "read;dur=1, decode;dur=2, queue;dur=0.5, infer;dur=3, encode;dur=1, total;dur=8",
            "X-Model-Name": "photo",
            "X-Model-Version": "2",
            "X-Input-Size": "256x256",
            "X-Batch-Size": "3",
            "X-Noise-Level": noise_level,
        }
        route.fulfill(body=sent_bytes(route.request), content_type="image/png", headers=headers)

    page.route("**/v1/models", list_models)
    page.route(DENOISE, denoise)


def digits(count: int) -> Files:
    """Make files of different digits, named by their numbers from 0."""
    pictures = [np.rint(255 * digit(height=28, width=28, size=size)).astype(np.uint8) for size in range(12, 12 + count)]
    return [
        {"name": f"{number}.png", "mimeType": "image/png", "buffer": encode(picture)}
        for number, picture in enumerate(pictures)
    ]
