"""Classical filters for photographs, which know the noise level."""

from functools import partial

import cv2
import numpy as np
from skimage.restoration import denoise_tv_chambolle, denoise_wavelet

from training.images.files import from_8_bit, to_8_bit
from training.images.noise import Images
from training.photos.evaluate import PhotoMethod, leave_noisy

# Multiples of the standard deviation; the best for BSDS500's training split at levels 15 to 50.
NLM_STRENGTH = 0.9
TV_WEIGHT = 0.9


def filter_nlm(noisy: Images, sigma: float) -> Images:
    """Average similar patches, OpenCV's windows. Source: A. Buades et al., CVPR 2005."""
    levels = to_8_bit(noisy.clip(0, 1))
    strength = NLM_STRENGTH * sigma * 255
    if noisy.shape[-1] == 1:
        return from_8_bit(np.asarray(cv2.fastNlMeansDenoising(levels, None, strength), np.uint8)[..., None])
    return from_8_bit(np.asarray(cv2.fastNlMeansDenoisingColored(levels, None, strength, strength), np.uint8))


def filter_tv(noisy: Images, sigma: float) -> Images:
    """Minimise total variation. Source: A. Chambolle, J. Math. Imaging Vis. 20, 2004."""
    filtered = denoise_tv_chambolle(noisy, weight=TV_WEIGHT * sigma, channel_axis=-1)  # type: ignore[no-untyped-call]
    return np.asarray(filtered, np.float32)


def filter_wavelet(noisy: Images, sigma: float) -> Images:
    """Shrink wavelet coefficients. Source: S. G. Chang et al., "Adaptive wavelet thresholding", IEEE TIP 9(9), 2000."""
    shrink = partial(denoise_wavelet, method="BayesShrink", mode="soft", rescale_sigma=True, channel_axis=-1)
    return np.asarray(shrink(noisy, sigma=sigma), np.float32)


PHOTO_BASELINES: dict[str, PhotoMethod] = {
    "noisy input": leave_noisy,
    "total variation": filter_tv,
    "wavelets, BayesShrink": filter_wavelet,
    "non-local means": filter_nlm,
}
