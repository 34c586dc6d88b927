"""Swagger UI in a real browser."""

from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page

from tests.app.processes import RunningService


def test_a_picture_can_be_uploaded_and_its_clean_version_seen(
    page: Page, service: RunningService, tmp_path: Path
) -> None:
    picture = tmp_path / "noisy.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)).save(picture)

    page.goto(f"{service.url}/docs")
    page.get_by_text("Denoise one picture").click()
    page.locator("input[type=file]").set_input_files(picture)
    page.get_by_role("button", name="Execute").click()
    shown = page.locator(".response-col_description img")
    shown.wait_for()
    assert shown.evaluate("image => image.decode().then(() => [image.naturalWidth, image.naturalHeight])") == [28, 28]
    assert page.locator("text=server-timing").count() > 0
