"""Synthetic noise that the page adds to a clean picture, and the PSNR that it can then report."""

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from app.imaging.decode import decode_gray, open_image
from tests.app.pictures import digit, encode, psnr_db, unit
from tests.app.processes import RunningService
from tests.browser.bench import (
    add_photo_model,
    choose_file,
    decode,
    download,
    open_bench,
    result_after,
    sent_bytes,
)

CLEAN = np.rint(255 * digit(height=28, width=28, size=20)).astype(np.uint8)
BEFORE = """async () => {
  const { readPixels } = await import("/static/picture/picture.js");
  return [...readPixels(document.getElementById("before"), 1).levels];
}"""
GRAY = """async ([sigma, seed]) => {
  const { addNoise } = await import("/static/picture/noise.js");
  const levels = new Uint8ClampedArray(256 * 256).fill(128);
  return [...addNoise({ width: 256, height: 256, channels: 1, levels }, sigma, seed).levels];
}"""


def shown_psnr(page: Page) -> list[float]:
    return [float(text) for text in re.findall(r"([\d.]+) dB", page.locator("#psnr").inner_text())]


def test_the_noisy_picture_is_sent_and_shown_and_its_psnr_is_reported(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    result_after(page, choose_file(page, "four.png", encode(CLEAN)))
    expect(page.locator("#psnr")).to_be_hidden()
    response = result_after(page, page.get_by_label("Add noise").check)
    expect(page.locator("#sigma-value")).to_have_text("102")

    sent = decode(sent_bytes(response.request))
    assert sent.shape[:2] == (28, 28)
    gray = sent[..., 0]
    assert all((sent[..., channel] == gray).all() for channel in (1, 2))
    assert page.evaluate(BEFORE) == gray.ravel().tolist()

    noisy, denoised, gained = shown_psnr(page)
    assert noisy == pytest.approx(psnr_db(unit(gray), unit(CLEAN)), abs=0.051)
    assert denoised == pytest.approx(psnr_db(unit(decode(download(page, "Download PNG")[1])), unit(CLEAN)), abs=0.051)
    assert gained == pytest.approx(denoised - noisy, abs=0.11)
    assert gained > 5
    expect(page.get_by_role("status")).to_contain_text(f"PSNR {noisy:.1f} dB before, {denoised:.1f} dB after.")


def test_colour_becomes_gray_as_in_the_service(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    colours = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    result_after(page, choose_file(page, "colours.png", encode(colours)))
    gray = decode_gray(open_image(encode(colours), max_pixels=10_000), backdrop=1.0)
    assert np.abs(np.array(page.evaluate(BEFORE)) - 255 * gray.ravel()).max() < 1


def test_sigma_and_seed_change_the_noise(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    first = result_after(page, page.get_by_role("button", name="Run again").click)
    weaker = result_after(page, lambda: page.get_by_label("Gaussian").fill("20"))
    again = result_after(page, page.get_by_role("button", name="Draw again").click)
    sent = [decode(sent_bytes(response.request))[..., 0] for response in (first, weaker, again)]
    assert sent[1].astype(float).std() < sent[0].astype(float).std()
    assert (sent[1] != sent[2]).any()
    expect(page.locator("#seed")).to_have_text("2")


def test_the_noise_is_gaussian_and_its_seed_repeats_it(page: Page, service: RunningService) -> None:
    page.goto(f"{service.url}/")
    one, same, other = (np.array(page.evaluate(GRAY, [25, seed]), float) - 128 for seed in (1, 1, 2))
    assert (one == same).all()
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.02
    assert abs(np.corrcoef(one[:-1], one[1:])[0, 1]) < 0.02
    for noise in (one, other):
        assert noise.mean() == pytest.approx(0, abs=0.4)
        assert noise.std() == pytest.approx(25, rel=0.02)
        assert np.mean(np.abs(noise) < 25) == pytest.approx(0.683, abs=0.02)


def test_a_picture_in_colour_gets_noise_in_every_channel(page: Page, service: RunningService) -> None:
    add_photo_model(page)
    open_bench(page, service.url)
    colour = result_after(page, page.get_by_role("button", name="a cat").click)
    expect(page.locator("#sigma-value")).to_have_text("25")
    sent = decode(sent_bytes(colour.request)).astype(float)
    difference = sent[..., 0] - sent[..., 2]
    assert np.diff(difference, axis=1).std() > 40  # of two independent draws with 25 each, twice: 50
    asked = result_after(page, lambda: page.get_by_label("Colour").select_option("gray"))
    gray = decode(sent_bytes(asked.request))
    assert (gray[..., 0] == gray[..., 2]).all()


def test_a_result_of_another_size_is_not_compared(page: Page, service: RunningService) -> None:
    open_bench(page, service.url)
    large = encode(np.rint(255 * digit(height=90, width=60, size=50)).astype(np.uint8))
    result_after(page, choose_file(page, "large.png", large))
    result_after(page, page.get_by_role("button", name="Use digits instead").click)
    result_after(page, page.get_by_label("Add noise").check)
    expect(page.locator("#psnr")).to_contain_text("not comparable: the paper is now plain")
    result_after(page, lambda: page.locator("#fit").select_option("pad"))
    assert len(shown_psnr(page)) == 3
    result_after(page, lambda: page.get_by_label("Size of the result").select_option("model"))
    expect(page.locator("#psnr")).to_contain_text("not comparable: its size differs")
