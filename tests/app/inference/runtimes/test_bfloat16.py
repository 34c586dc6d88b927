from pathlib import Path

import numpy as np
import pytest

from app.inference.runtimes import bfloat16
from app.inference.runtimes.bfloat16 import MIN_ROUNDED_LEVEL, is_fast, is_noisy, read_cpu_flags


def test_the_instructions_are_those_of_the_first_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text(
        "processor\t: 0\nflags\t\t: fpu avx512_bf16 amx_bf16\nbugs\t\t: none\n\nprocessor\t: 1\nflags\t\t: sse\n"
    )
    monkeypatch.setattr(bfloat16, "CPU_INFO", info)
    assert {"fpu", "avx512_bf16", "amx_bf16"} <= read_cpu_flags()
    assert "none" not in read_cpu_flags()
    assert "sse" not in read_cpu_flags()


def test_a_system_that_lists_no_instructions_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bfloat16, "CPU_INFO", tmp_path / "missing")
    assert read_cpu_flags() == frozenset()


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("avx512f", False),
        ("avx512_bf16", True),
        ("avx512_bf16 avx512_fp16 amx_bf16", True),
        ("avx512_bf16 avx512_fp16", False),
    ],
    ids=["without", "AMD's", "Intel's", "Intel's with AMX hidden"],
)
def test_bfloat16_is_used_where_it_is_fast(flags: str, expected: bool) -> None:
    assert is_fast(frozenset(flags.split())) == expected


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        (None, False),
        ([0.0], False),
        ([MIN_ROUNDED_LEVEL], True),
        ([0.2, MIN_ROUNDED_LEVEL / 2], False),
    ],
    ids=str,
)
def test_images_are_noisy_if_all_are(levels: list[float] | None, expected: bool) -> None:
    assert is_noisy(None if levels is None else np.array(levels)) is expected
