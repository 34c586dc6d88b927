"""denoiser: an HTTP service that takes a noisy image and returns a clean one."""

import os

# NumPy's matrices are small here: waking threads for them takes longer than the products. Read when NumPy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"
