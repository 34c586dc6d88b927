"""Judge whether the ink is lighter or darker than the paper."""

from typing import Literal

import numpy as np

from app.imaging.handwriting.paper import fit_paper, paper_level, shrink
from app.imaging.samples import FloatImage

Polarity = Literal["light-on-dark", "dark-on-light"]

SMALL_PX = 64  # up to this size, a picture is the drawing itself; larger ones may show much uneven paper
MIN_RANGE = 0.1  # with less than this between the darkest and the lightest, nothing is drawn


def judge_polarity(gray: FloatImage) -> Polarity:
    """Judge a picture, shape (H, W): a small one by its border, a large one by what stands out from the paper."""
    if max(gray.shape) > SMALL_PX:
        small = shrink(gray, SMALL_PX * 2)
        above = small - paper_level(fit_paper(small, ink="unknown"), (0, 0, 1, 1), small.shape)
        noise = 3 * np.median(np.abs(above))
        above = above.astype(np.float64)  # samples of a float image may be huge; as float64, their squares fit
        lighter, darker = np.maximum(above - noise, 0), np.maximum(-above - noise, 0)
        if max(lighter.max(), darker.max()) > MIN_RANGE:
            return "dark-on-light" if np.square(darker).sum() > np.square(lighter).sum() else "light-on-dark"
        gray = small
    return _judge_border(gray)


def _judge_border(gray: FloatImage) -> Polarity:
    """Judge by the border: it is paper, and paper lies at one end of the picture's range."""
    border = np.sort(np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]]))
    levels = np.sort(gray, axis=None)  # np.percentile and np.median take ten times as long for so few pixels
    hundredth = levels.size // 100
    darkest, paper, lightest = levels[hundredth], border[border.size // 2], levels[-1 - hundredth]
    if lightest - darkest < MIN_RANGE:
        darkest, lightest = 0.0, 1.0
    return "dark-on-light" if paper - darkest > lightest - paper else "light-on-dark"
