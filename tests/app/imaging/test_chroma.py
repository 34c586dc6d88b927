import numpy as np
import pytest

from app.imaging.chroma import STRIP_ROWS, CompactImage, RgbImage, halve_chroma, luma, merge_color


def colored(height: int = 31, width: int = 45) -> RgbImage:
    """Make a picture with soft colours and one hard edge between two of them."""
    y, x = np.mgrid[:height, :width]
    rgb = np.stack([60 + 3 * x, 200 - 2 * y, 40 + x + y], axis=-1)
    rgb[:, width // 2 :] = (220, 30, 40)
    return rgb.clip(0, 255).astype(np.uint8)


def compact_luma(rgb: RgbImage) -> CompactImage:
    return luma(rgb).astype(np.float16)


def merge_unchanged(rgb: RgbImage, *, noise_level: float = 0.0) -> RgbImage:
    halves = halve_chroma(rgb)
    return merge_color(rgb, compact_luma(rgb), halves, halves, noise_level=noise_level)


@pytest.mark.parametrize("shape", [(1, 1), (1, 8), (31, 45), (2 * STRIP_ROWS + 3, 10)])
def test_an_unchanged_picture_is_merged_unchanged(shape: tuple[int, int]) -> None:
    rgb = colored(*shape)
    np.testing.assert_array_equal(merge_unchanged(rgb), rgb)


def test_luma_is_bt601() -> None:
    primaries = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    np.testing.assert_allclose(luma(primaries), [[0.299, 0.587, 0.114, 1]], atol=1e-6)


def test_chroma_is_zero_for_gray_and_a_half_for_blue_and_red() -> None:
    for color, expected in (((90, 90, 90), (0, 0)), ((0, 0, 255), (0.5, -0.0813)), ((255, 0, 0), (-0.1687, 0.5))):
        halves = halve_chroma(np.full((2, 2, 3), color, np.uint8))
        np.testing.assert_allclose(halves[:, 0, 0], expected, atol=1e-4)


def test_halves_are_rounded_up() -> None:
    assert halve_chroma(colored(5, 7)).shape == (2, 3, 4)


def test_a_change_of_the_halves_changes_the_colour_but_not_the_luma() -> None:
    rgb = np.full((8, 8, 3), 128, np.uint8)
    halves = halve_chroma(rgb)
    merged = merge_color(rgb, compact_luma(rgb), halves, halves + np.float16(0.1), noise_level=0.0)
    np.testing.assert_allclose(luma(merged), luma(rgb), atol=1 / 255)
    np.testing.assert_allclose(halve_chroma(merged), 0.1, atol=2 / 255)


def test_differences_smaller_than_the_noise_are_smoothed() -> None:
    noise = np.random.default_rng(0).normal(0, 10, (64, 64, 3))
    rgb = np.rint(128 + noise).clip(0, 255).astype(np.uint8)
    flat = np.zeros_like(halve_chroma(rgb))
    merged = merge_color(rgb, compact_luma(rgb), halve_chroma(rgb), flat, noise_level=10 / 255)
    assert np.std(merged[..., 0] / 255 - luma(merged)) < 0.1 * np.std(rgb[..., 0] / 255 - luma(rgb))


def test_an_edge_between_colours_is_kept() -> None:
    rgb = colored()
    edge = slice(rgb.shape[1] // 2 - 1, rgb.shape[1] // 2 + 1)
    change = np.abs(merge_unchanged(rgb, noise_level=5 / 255)[:, edge].astype(int) - rgb[:, edge])
    assert change.mean() < 15


def test_no_seam_shows_between_strips() -> None:
    tall = np.full((2 * STRIP_ROWS + 7, 33, 3), 100, np.uint8)
    noisy = halve_chroma(tall)
    ramp = np.linspace(0, 0.2, noisy.shape[1], dtype=np.float16)[None, :, None]
    blue = merge_color(tall, compact_luma(tall), noisy, noisy + ramp, noise_level=0.0)[..., 2].astype(int)
    assert np.diff(blue, axis=0).min() >= 0
    assert np.diff(blue, axis=0).max() <= 1
    assert blue[-1, 0] - blue[0, 0] == pytest.approx(0.2 * 1.772 * 255, abs=1)
