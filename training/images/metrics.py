"""How close denoised images are to clean ones, and what a network costs."""

import math

import keras
import numpy as np
from numpy.typing import NDArray

from training.images.noise import Images

Values = NDArray[np.float64]

BCE_EPSILON = 1e-7
SSIM_WINDOW_PX = 11
SSIM_SIGMA_PX = 1.5
CHUNK_IMAGES = 500


def bce(clean: Images, denoised: Images) -> float:
    """Return the mean over all pixels of -(c ln d + (1 - c) ln(1 - d)) for values in [0, 1].

    ``denoised`` is first clipped to [1e-7, 1 - 1e-7], as in keras.losses.BinaryCrossentropy. For gray ``clean`` images
    the minimum is above zero: it is their own entropy, bce(clean, clean).
    """
    likely = np.clip(denoised, BCE_EPSILON, 1 - BCE_EPSILON, dtype=np.float64)
    return float(np.mean(-clean * np.log(likely) - (1 - clean) * np.log1p(-likely)))


def mse(clean: Images, denoised: Images) -> float:
    """Return the mean over all pixels of (c - d)²."""
    return float(np.mean(np.square(clean - denoised), dtype=np.float64))


def psnr_db(clean: Images, denoised: Images) -> float:
    """Return the mean over the images of 10 log10(1 / mse), peak 1; infinite if an image equals its clean one."""
    mse_per_image = np.mean(np.square(clean - denoised), axis=(1, 2, 3), dtype=np.float64)
    with np.errstate(divide="ignore"):
        return float(np.mean(-10 * np.log10(mse_per_image)))


def ssim(clean: Images, denoised: Images) -> float:
    """Return the mean structural similarity of NHWC images, H and W at least 11, peak 1, over their channels.

    Gaussian window of 11x11 pixels, sigma 1.5, at all places inside the image; K1 = 0.01, K2 = 0.03; variances
    weighted by the window. Source: Z. Wang et al., "Image quality assessment: from error visibility to structural
    similarity", IEEE TIP 13(4), 2004, equation 13.
    """
    chunks = range(0, len(clean), CHUNK_IMAGES)
    maps = [_map_ssim(clean[start : start + CHUNK_IMAGES], denoised[start : start + CHUNK_IMAGES]) for start in chunks]
    return float(np.mean(np.concatenate(maps)))


def _map_ssim(clean: Images, denoised: Images) -> Values:
    c1, c2 = 0.01**2, 0.03**2
    x, y = (
        np.moveaxis(images, -1, 0).reshape(-1, *images.shape[1:3]).astype(np.float64) for images in (clean, denoised)
    )
    mean_x, mean_y = _blur(x), _blur(y)
    variance_x, variance_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    covariance = _blur(x * y) - mean_x * mean_y
    similarity = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return np.asarray(similarity / ((mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)))


def _blur(images: Values) -> Values:
    """Convolve (N, H, W) with the Gaussian window, separably; H and W shrink by 10."""
    return np.asarray(_window_matrix(images.shape[1]) @ images @ _window_matrix(images.shape[2]).T)


def _window_matrix(length: int) -> Values:
    """Return the matrix (length - 10, length) that convolves with the window."""
    offset = np.arange(SSIM_WINDOW_PX) - SSIM_WINDOW_PX // 2
    window = np.exp(-(offset**2) / (2 * SSIM_SIGMA_PX**2))
    rows = length - SSIM_WINDOW_PX + 1
    matrix = np.zeros((rows, length))
    for row in range(rows):
        matrix[row, row : row + SSIM_WINDOW_PX] = window / window.sum()
    return matrix


def count_macs(network: keras.Model) -> int | None:
    """Return the multiply-accumulates per image of convolutions and dense layers, None if the size is free.

    A layer uses each weight except biases once per output position, a transposed convolution once per input position.
    """
    if None in network.input_shape[1:]:
        return None
    return sum(_count_layer_macs(layer) for layer in network.layers)


def _count_layer_macs(layer: keras.Layer) -> int:
    if isinstance(layer, keras.Model):
        return sum(map(_count_layer_macs, layer.layers))
    if not hasattr(layer, "kernel") and not hasattr(layer, "depthwise_kernel"):
        return 0
    positions: tuple[int, ...] = layer.input.shape if "Transpose" in type(layer).__name__ else layer.output.shape
    weights: int = sum(math.prod(weight.shape) for weight in layer.weights if len(weight.shape) > 1)
    return math.prod(positions[1:-1]) * weights
