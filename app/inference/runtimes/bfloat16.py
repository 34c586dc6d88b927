"""Say when a network may compute in bfloat16, whichever runtime runs it."""

from pathlib import Path

from app.imaging.samples import WHITE_8
from app.inference.denoiser import NoiseLevels

CPU_INFO = Path("/proc/cpuinfo")
MIN_ROUNDED_LEVEL = 5 / WHITE_8  # below, bfloat16's rounding would be a visible part of the noise that remains
AMX = "amx_bf16"
BFLOAT16_FLAGS = frozenset({"avx512_bf16", AMX})


def read_cpu_flags() -> frozenset[str]:
    """Return the instructions that Linux lists; without those of bfloat16, it would take longer than float32."""
    try:
        return frozenset(CPU_INFO.read_text().partition("\nflags")[2].partition("\n")[0].split())
    except OSError:
        return frozenset()


def is_noisy(noise_levels: NoiseLevels | None) -> bool:
    """Return whether all images are so noisy that nobody sees the rounding; not without noise levels."""
    return noise_levels is not None and bool(noise_levels.min() >= MIN_ROUNDED_LEVEL)
