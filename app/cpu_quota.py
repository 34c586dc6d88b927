"""The number of CPUs that this process may use, also inside a container."""

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def available_cpus(cgroup: Path = CGROUP) -> int:
    """Return whole CPUs, at least 1: the smaller of the process's affinity and the cgroup's quota, rounded up.

    Reads ``cpu.max`` (cgroup v2) or ``cpu.cfs_quota_us`` and ``cpu.cfs_period_us`` (v1), as
    https://docs.kernel.org/admin-guide/cgroup-v2.html describes them.
    """
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(cgroup)
    return affinity if quota is None else max(1, min(affinity, math.ceil(quota)))


def _quota(cgroup: Path) -> float | None:
    try:
        if (v2 := cgroup / "cpu.max").exists():
            limit, period = v2.read_text().split()
        else:
            limit = (cgroup / "cpu/cpu.cfs_quota_us").read_text()
            period = (cgroup / "cpu/cpu.cfs_period_us").read_text()
        return int(limit) / int(period) if int(limit) > 0 else None
    except (OSError, ValueError):  # no cgroup, or a quota of "max": no limit
        return None
