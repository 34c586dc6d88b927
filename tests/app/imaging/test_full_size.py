"""The planes of pictures at their own size, and the results that they make."""

from collections.abc import Callable

import numpy as np
import pytest

from app.imaging.chroma import luma
from app.imaging.full_size import ColorImage, FullSizeImage, GrayImage
from app.imaging.samples import FloatImage, Levels
from app.imaging.tiles import Rectangle


def noise(*shape: int) -> Levels:
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


def unchanged(image: FloatImage) -> FloatImage:
    return image


def denoised(
    picture: FullSizeImage,
    network: Callable[[FloatImage], FloatImage] = unchanged,
    *,
    noise_level: float | None = None,
) -> Levels:
    """Send each plane through a network in two parts."""
    for plane in picture.planes(noise_level):
        for rows in (slice(0, plane.height // 2), slice(plane.height // 2, plane.height)):
            part: Rectangle = (rows, slice(0, plane.width))
            plane.write(part, network(plane.read(part)))
    return picture.finish()


def test_8_bit_samples_keep_their_levels() -> None:
    samples = noise(9, 13)
    np.testing.assert_array_equal(denoised(GrayImage(samples)), samples)


def test_16_bit_samples_keep_their_levels() -> None:
    samples = np.random.default_rng(0).integers(0, 65536, (40, 30)).astype(np.uint16)
    result = denoised(GrayImage(samples, bit_depth=16))
    assert result.dtype == np.uint16
    np.testing.assert_array_equal(result, samples)


def test_16_bit_samples_are_rounded_to_the_8_bits_that_are_asked_for() -> None:
    samples = noise(9, 13)
    result = denoised(GrayImage(samples.astype(np.uint16) * 257))
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, samples)


def test_the_network_gets_the_negative_of_a_gray_picture_of_the_other_polarity() -> None:
    samples = np.full((9, 9), 64, np.uint8)
    seen: list[float] = []

    def watch(image: FloatImage) -> FloatImage:
        seen.append(float(image.max()))
        return image

    np.testing.assert_array_equal(denoised(GrayImage(samples, is_inverted=True), watch), samples)
    assert seen == [pytest.approx(1 - 64 / 255)] * 2


def test_of_a_colour_picture_only_the_luma_is_inverted() -> None:
    rgb = np.asarray(noise(20, 30, 3), np.uint8)
    inverted, plain = ColorImage(rgb, is_inverted=True), ColorImage(rgb)
    whole: Rectangle = (slice(0, 10), slice(0, 15))
    for number, (one, other) in enumerate(zip(inverted.planes(0.0), plain.planes(0.0), strict=True)):
        expected = other.read(whole) if number else 1 - other.read(whole)
        np.testing.assert_allclose(one.read(whole), expected, atol=1e-6)
    np.testing.assert_allclose(denoised(inverted, noise_level=0.0).astype(int), rgb.astype(int), atol=1)


def test_colour_is_kept_and_chroma_is_denoised_at_half_the_size_and_level() -> None:
    rgb = np.asarray(noise(20, 31, 3), np.uint8)
    np.testing.assert_array_equal(denoised(ColorImage(rgb), noise_level=0.0), rgb)
    planes = ColorImage(rgb).planes(0.25)
    assert [(plane.height, plane.width, plane.noise_level) for plane in planes] == [
        (20, 31, 0.25), (10, 16, 0.125), (10, 16, 0.125)
    ]  # fmt: skip


def test_a_network_that_takes_no_noise_level_gets_none_for_any_plane() -> None:
    picture = ColorImage(np.asarray(noise(20, 31, 3), np.uint8))
    assert [plane.noise_level for plane in picture.planes(None)] == [None] * 3


def test_without_a_noise_level_colour_is_denoised_by_an_estimate() -> None:
    gray = np.repeat(np.random.default_rng(0).normal(128, 15, (64, 64, 1)), 3, axis=2)
    rgb = np.rint(gray + np.random.default_rng(1).normal(0, 4, (64, 64, 3))).clip(0, 255).astype(np.uint8)
    result = denoised(ColorImage(rgb))
    assert np.std(np.diff(result.astype(int), axis=2)) < np.std(np.diff(rgb.astype(int), axis=2))


def test_the_noise_of_a_colour_picture_is_that_of_its_luma() -> None:
    noisy = np.random.default_rng(0).normal(128, 20, (100, 120)).round().clip(0, 255).astype(np.uint8)
    rgb = np.dstack([noisy, noisy[::-1], noisy[:, ::-1]])
    expected = float(np.std(luma(rgb)))
    assert ColorImage(rgb).estimate_noise_level() == pytest.approx(expected, rel=0.1)
    assert GrayImage(noisy).estimate_noise_level() == pytest.approx(20 / 255, rel=0.1)
