"""denoiser: an HTTP service that takes a noisy image and returns a clean one."""

import os

# Our matrices are small: BLAS threads cost more than they save. NumPy reads this when it is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.2.0"
