"""denoiser: an HTTP service that takes a noisy image and returns a clean one."""

__version__ = "0.1.0"
