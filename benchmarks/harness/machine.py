"""Describe the machine that the figures come from."""

import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("tensorflow-cpu", "openvino", "fastapi", "uvicorn", "numpy", "pillow")


def describe_machine() -> str:
    """Return one line: cores, processor, memory, versions, date, and how busy the machine was before."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{len(os.sched_getaffinity(0))} cores of {processor()}, {memory:.0f} GB, Linux {platform.release()}, "
        f"Python {platform.python_version()}, {versions}; {datetime.now(UTC):%Y-%m-%d %H:%M} UTC; "
        f"load average of the minute before: {os.getloadavg()[0]:.2f}"
    )


def processor() -> str:
    """Return the name of the processor, as Linux reports it."""
    names = re.findall(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return str(names[0]) if names else platform.processor()
