"""Say when a network may compute in bfloat16, whichever runtime runs it."""

from pathlib import Path

from app.imaging.samples import WHITE_8
from app.inference.denoiser import NoiseLevels

CPU_INFO = Path("/proc/cpuinfo")
MIN_ROUNDED_LEVEL = 5 / WHITE_8  # below, bfloat16's rounding would be a visible part of the noise that remains
AMX = "amx_bf16"
AVX512_BF16 = "avx512_bf16"
MADE_FOR_AMX = (
    "avx512_fp16"  # of Intel's: where a virtual machine hides AMX, bfloat16 takes 1.6 times as long as float32
)


def read_cpu_flags() -> frozenset[str]:
    """Return the instructions that Linux lists."""
    try:
        return frozenset(CPU_INFO.read_text().partition("\nflags")[2].partition("\n")[0].split())
    except OSError:
        return frozenset()


def is_fast(flags: frozenset[str]) -> bool:
    """Return whether bfloat16 takes less time than float32 on a processor with these instructions."""
    return AMX in flags or (AVX512_BF16 in flags and MADE_FOR_AMX not in flags)


def is_noisy(noise_levels: NoiseLevels | None) -> bool:
    """Return whether all images are so noisy that nobody sees the rounding; not without noise levels."""
    return noise_levels is not None and bool(noise_levels.min() >= MIN_ROUNDED_LEVEL)
