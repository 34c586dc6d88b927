"""What networks get of pictures at their own size, and the results that they make."""

from collections.abc import Callable

import numpy as np
import pytest

from app.imaging.full_size import FullSizeImage
from app.imaging.samples import LUMA_NOISE, LUMA_WEIGHTS, FloatImage, Levels
from app.imaging.tiles import Rectangle


def noise(*shape: int) -> Levels:
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


def unchanged(image: FloatImage) -> FloatImage:
    return image


def denoised(
    picture: FullSizeImage, network: Callable[[FloatImage], FloatImage] = unchanged, *, channels: int = 1
) -> Levels:
    """Send each pass through a network in two parts."""
    for each in picture.passes(channels):
        for rows in (slice(0, picture.height // 2), slice(picture.height // 2, picture.height)):
            part: Rectangle = (rows, slice(0, picture.width))
            each.write(part, network(each.read(part)))
    return picture.finish()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(9, 13), (9, 13, 3)])
def test_8_bit_samples_keep_their_levels(shape: tuple[int, ...], channels: int) -> None:
    samples = noise(*shape)
    np.testing.assert_array_equal(denoised(FullSizeImage(samples), channels=channels), samples)


def test_16_bit_samples_keep_their_levels() -> None:
    samples = np.random.default_rng(0).integers(0, 65536, (40, 30)).astype(np.uint16)
    for channels in (1, 3):
        result = denoised(FullSizeImage(samples, bit_depth=16), channels=channels)
        assert result.dtype == np.uint16
        np.testing.assert_array_equal(result, samples)


def test_16_bit_samples_are_rounded_to_the_8_bits_that_are_asked_for() -> None:
    samples = noise(9, 13)
    result = denoised(FullSizeImage(samples.astype(np.uint16) * 257))
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, samples)


def test_colour_is_written_with_16_bits_if_they_are_asked_for() -> None:
    samples = noise(9, 13, 3)
    result = denoised(FullSizeImage(samples, bit_depth=16), lambda image: image + np.float32(1 / 65535), channels=3)
    np.testing.assert_array_equal(result, (samples.astype(np.int64) * 257 + 1).clip(0, 65535))


@pytest.mark.parametrize("shape", [(9, 9), (9, 9, 3)])
def test_the_network_gets_the_negative_of_a_picture_of_the_other_polarity(shape: tuple[int, ...]) -> None:
    samples = np.full(shape, 64, np.uint8)
    seen: list[float] = []

    def watch(image: FloatImage) -> FloatImage:
        seen.append(float(image.max()))
        return image

    np.testing.assert_array_equal(denoised(FullSizeImage(samples, is_inverted=True), watch, channels=3), samples)
    assert seen == [pytest.approx(1 - 64 / 255)] * 2


def test_a_network_of_three_channels_gets_gray_in_each_and_the_mean_is_kept() -> None:
    samples = noise(8, 8)

    def tint(image: FloatImage) -> FloatImage:
        assert (image == image[..., :1]).all()
        return image * 0.5 + np.array([0.0, 0.1, 0.2], np.float32)

    result = denoised(FullSizeImage(samples), tint, channels=3)
    np.testing.assert_allclose(result, samples * 0.5 + 25.5, atol=0.51)


def test_a_network_of_three_channels_gets_colour_at_once() -> None:
    rgb = noise(8, 8, 3)
    (whole,) = FullSizeImage(rgb).passes(3)
    np.testing.assert_allclose(whole.read((slice(2, 5), slice(0, 8))) * 255, rgb[2:5], atol=1e-4)


def test_a_network_of_one_channel_gets_red_green_and_blue_one_by_one() -> None:
    rgb = noise(8, 8, 3)
    for number, each in enumerate(FullSizeImage(rgb).passes(1)):
        np.testing.assert_allclose(each.read((slice(0, 8), slice(0, 8)))[..., 0] * 255, rgb[..., number], atol=1e-4)


def test_the_level_of_colour_is_that_of_white_noise_which_leaves_as_much_in_luma() -> None:
    rng = np.random.default_rng(0)
    levels = np.array([5, 10, 20])
    rgb = np.stack([rng.normal(128, level, (100, 120)) for level in levels], axis=-1).round().astype(np.uint8)
    expected = float(np.linalg.norm(levels * LUMA_WEIGHTS) / LUMA_NOISE) / 255
    assert FullSizeImage(rgb).estimate_noise_level() == pytest.approx(expected, rel=0.1)
    assert FullSizeImage(rgb[..., 2]).estimate_noise_level() == pytest.approx(20 / 255, rel=0.1)


def test_a_gray_part_of_a_colour_picture_is_told_the_noise_of_luma() -> None:
    rgb = np.repeat(noise(8, 8, 1), 3, axis=-1)
    rgb[0, 0] = 255, 0, 0  # a stamp on a gray page
    (whole,) = FullSizeImage(rgb).passes(3)
    parts = {rows: whole.read((slice(*rows), slice(0, 8))) for rows in ((0, 8), (1, 8))}
    assert whole.find_level(parts[0, 8], 0.1) == 0.1
    assert whole.find_level(parts[1, 8], 0.1) == pytest.approx(0.1 * LUMA_NOISE)
    assert whole.find_level(parts[1, 8], None) is None
    (gray,) = FullSizeImage(rgb[..., 0]).passes(3)
    assert gray.find_level(parts[1, 8], 0.1) == 0.1


def test_white_noise_of_colour_has_the_level_of_its_channels() -> None:
    rgb = np.random.default_rng(0).normal(128, 15, (100, 120, 3)).round().astype(np.uint8)
    assert FullSizeImage(rgb).estimate_noise_level() == pytest.approx(15 / 255, rel=0.1)
