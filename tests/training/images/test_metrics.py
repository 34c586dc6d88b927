import math

import keras
import numpy as np
import pytest
from keras import layers

from tests.training.drawing import draw_blobs
from training.images.metrics import bce, count_macs, mse, psnr_db, ssim

CLEAN = draw_blobs(4)
NOISY = np.clip(CLEAN + np.random.default_rng(0).normal(0, 0.1, CLEAN.shape), 0, 1).astype(np.float32)


def test_bce_is_that_of_keras() -> None:
    expected = keras.losses.BinaryCrossentropy()(CLEAN, NOISY)
    assert bce(CLEAN, NOISY) == pytest.approx(float(expected), rel=1e-3)


def test_bce_of_a_clean_image_against_itself_is_its_entropy() -> None:
    gray = np.full((1, 28, 28, 1), 0.5, np.float32)
    assert bce(gray, gray) == pytest.approx(math.log(2))


def test_mse_and_psnr_of_a_constant_difference() -> None:
    black, gray = np.zeros((2, 28, 28, 1), np.float32), np.full((2, 28, 28, 1), 0.1, np.float32)
    assert mse(black, gray) == pytest.approx(0.01)
    assert psnr_db(black, gray) == pytest.approx(20)


def test_psnr_is_the_mean_over_images_not_over_pixels() -> None:
    clean = np.zeros((2, 28, 28, 1), np.float32)
    denoised = np.stack([np.full((28, 28, 1), difference, np.float32) for difference in (0.1, 0.01)])
    assert psnr_db(clean, denoised) == pytest.approx((20 + 40) / 2)


def test_psnr_of_equal_images_is_infinite() -> None:
    assert psnr_db(CLEAN, CLEAN) == math.inf


def test_ssim_of_equal_images_is_one_and_falls_with_noise() -> None:
    assert ssim(CLEAN, CLEAN) == pytest.approx(1)
    assert 0 < ssim(CLEAN, NOISY) < 0.9


def test_ssim_of_two_constant_images_compares_their_luminance() -> None:
    dark, light = np.full((1, 11, 11, 1), 0.25, np.float32), np.full((1, 11, 11, 1), 0.75, np.float32)
    expected = (2 * 0.25 * 0.75 + 0.01**2) / (0.25**2 + 0.75**2 + 0.01**2)
    assert ssim(dark, light) == pytest.approx(expected)


def test_ssim_is_that_of_scikit_image() -> None:
    metrics = pytest.importorskip("skimage.metrics")
    expected = [
        metrics.structural_similarity(
            clean[..., 0], noisy[..., 0], data_range=1, gaussian_weights=True, use_sample_covariance=False
        )
        for clean, noisy in zip(CLEAN.astype(np.float64), NOISY.astype(np.float64), strict=True)
    ]
    assert ssim(CLEAN, NOISY) == pytest.approx(np.mean(expected), abs=1e-6)


def test_ssim_of_a_colour_image_is_the_mean_over_its_channels() -> None:
    halves = [slice(0, 2), slice(2, 4)]
    clean, noisy = (np.concatenate([images[half] for half in halves], axis=-1) for images in (CLEAN, NOISY))
    assert ssim(clean, noisy) == pytest.approx(ssim(CLEAN, NOISY))


def test_macs_are_counted_by_layer() -> None:
    image = keras.Input((8, 8, 1))
    hidden = layers.Conv2D(4, 3, strides=2, padding="same")(image)  # 4x4 positions, 9 weights to 4 channels
    hidden = layers.DepthwiseConv2D(3, padding="same")(hidden)  # 4x4 positions, 9 weights for 4 channels
    hidden = layers.Conv2DTranspose(2, 2, strides=2)(hidden)  # 4x4 positions, 4 weights from 4 to 2 channels
    hidden = layers.Dense(3)(layers.Flatten()(layers.ReLU()(hidden)))  # 8x8x2 to 3
    network = keras.Model(image, hidden)
    assert count_macs(network) == 16 * 36 + 16 * 36 + 16 * 32 + 128 * 3


def test_macs_of_a_network_of_any_size_are_unknown() -> None:
    image = keras.Input((None, None, 1))
    assert count_macs(keras.Model(image, layers.Conv2D(1, 3)(image))) is None
