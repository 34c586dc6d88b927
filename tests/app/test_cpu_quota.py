import os
from pathlib import Path

import pytest

from app.cpu_quota import available_cpus

HERE = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def write_v2(cgroup: Path, content: str) -> Path:
    (cgroup / "cpu.max").write_text(content)
    return cgroup


def write_v1(cgroup: Path, *, quota_us: str, period_us: str = "100000\n") -> Path:
    (cgroup / "cpu").mkdir()
    (cgroup / "cpu/cpu.cfs_quota_us").write_text(quota_us)
    (cgroup / "cpu/cpu.cfs_period_us").write_text(period_us)
    return cgroup


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("100000 100000\n", 1),
        ("50000 100000\n", 1),
        ("1000 100000\n", 1),
        ("150000 100000\n", 2),
        ("6400000 100000\n", 64),
        ("max 100000\n", HERE),
        ("", HERE),
        ("nonsense", HERE),
        ("100000 0 0\n", HERE),
    ],
)
def test_a_quota_of_cgroup_v2_is_rounded_up_and_bounded_by_the_affinity(
    tmp_path: Path, content: str, expected: int
) -> None:
    assert available_cpus(write_v2(tmp_path, content)) == min(HERE, expected)


@pytest.mark.parametrize(("quota_us", "expected"), [("100000\n", 1), ("150000\n", 2), ("-1\n", HERE), ("x", HERE)])
def test_a_quota_of_cgroup_v1_is_rounded_up_and_bounded_by_the_affinity(
    tmp_path: Path, quota_us: str, expected: int
) -> None:
    assert available_cpus(write_v1(tmp_path, quota_us=quota_us)) == min(HERE, expected)


def test_without_a_cgroup_the_affinity_counts(tmp_path: Path) -> None:
    assert available_cpus(tmp_path / "absent") == HERE


def test_this_machine_has_at_least_one() -> None:
    assert 1 <= available_cpus() <= HERE
