"""Whether calls of a network are so short that the event loop may wait for them."""

import time

import numpy as np

from app.imaging.samples import FloatImage
from app.inference.batching import EAGER_BATCH
from app.inference.denoiser import Denoiser, NoiseLevels
from app.inference.metadata import ModelMetadata
from app.inference.micro_batch import count_together

MAX_LOOP_CALL_S = 0.02  # of processor time; ``digits`` takes a quarter
TIMED_CALLS = 3


def has_short_calls(denoiser: Denoiser, metadata: ModelMetadata) -> bool:
    """Return whether a network of a fixed size needs at most MAX_LOOP_CALL_S for what the loop gives it at once."""
    size = metadata.input.size
    if size is None:
        return False
    count = min(EAGER_BATCH, count_together(size))
    images = np.zeros((count, *size, metadata.input.channels), np.float32)
    levels = None if metadata.noise_level is None else np.full(count, metadata.noise_level.min, np.float32)
    return min(_time_call(denoiser, images, levels) for _ in range(TIMED_CALLS)) <= MAX_LOOP_CALL_S


def _time_call(denoiser: Denoiser, images: FloatImage, levels: NoiseLevels | None) -> float:
    """Return the seconds of processor time, which do not depend on what else runs; runtimes compute on this thread."""
    start = time.thread_time()
    denoiser.denoise(images, levels)
    return time.thread_time() - start
