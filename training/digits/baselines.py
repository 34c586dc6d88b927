"""Classical filters, which a network has to beat, each with the best parameter for training images."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from skimage.restoration import denoise_tv_chambolle

from training.digits.evaluate import make_test_pairs
from training.images.files import from_8_bit, to_8_bit
from training.images.metrics import psnr_db
from training.images.noise import Images, Noise

NLM_PATCH_PX, NLM_SEARCH_PX = 5, 17


@dataclass(frozen=True)
class Baseline:
    """A filter of one image (H, W) in [0, 1], and the values of its parameter to choose from."""

    denoise: Callable[[Images, float], Images]
    parameters: tuple[float, ...]

    def denoise_all(self, noisy: Images, parameter: float) -> Images:
        """Return (N, H, W, 1), filtered one by one."""
        filtered = [self.denoise(image, parameter) for image in np.clip(noisy[..., 0], 0, 1)]
        return np.asarray(np.stack(filtered)[..., None], np.float32)

    def tune(self, clean: Images, noise: Noise) -> float:
        """Return the parameter with the highest mean PSNR on clean images with this noise."""
        noisy, _ = make_test_pairs(clean, noise)
        return max(self.parameters, key=lambda parameter: psnr_db(clean, self.denoise_all(noisy, parameter)))

    def denoise_tuned(self, clean: Images, noisy: Images, noise: Noise) -> Images:
        """Denoise with the parameter that is best for other images, ``clean``, with the same noise."""
        return self.denoise_all(noisy, self.tune(clean, noise))


def filter_median(image: Images, size: float) -> Images:
    """Take the median of size x size pixels; 1 changes nothing."""
    return from_8_bit(np.asarray(cv2.medianBlur(to_8_bit(image), int(size)), np.uint8))


def filter_tv(image: Images, weight: float) -> Images:
    """Minimise total variation; ``weight`` is the strength. Source: A. Chambolle, J. Math. Imaging Vis. 20, 2004."""
    return np.asarray(denoise_tv_chambolle(image, weight=weight), np.float32)  # type: ignore[no-untyped-call]


def filter_nlm(image: Images, strength_8bit: float) -> Images:
    """Average similar patches. Source: A. Buades et al., "A non-local algorithm for image denoising", CVPR 2005."""
    denoise = partial(cv2.fastNlMeansDenoising, templateWindowSize=NLM_PATCH_PX, searchWindowSize=NLM_SEARCH_PX)
    return from_8_bit(np.asarray(denoise(to_8_bit(image), None, strength_8bit), np.uint8))


BASELINES = {
    "median filter": Baseline(filter_median, (1, 3, 5, 7)),
    "total variation": Baseline(filter_tv, (0.01, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1)),
    "non-local means": Baseline(filter_nlm, (2, 10, 20, 30, 40, 50, 60, 70, 80, 100, 120)),
}
