import os
import subprocess
import sys

from benchmarks.harness.processes import cpu_seconds, memory_bytes, proportional_bytes, tree


def test_a_process_alone_is_a_tree_with_cpu_time_and_memory() -> None:
    assert os.getpid() in tree(os.getpid())
    assert abs(cpu_seconds(os.getpid()) - sum(os.times()[:2])) < 0.5
    assert 0 < proportional_bytes(os.getpid()) <= 1.1 * memory_bytes(os.getpid(), "VmRSS")
    assert memory_bytes(os.getpid(), "VmHWM") >= memory_bytes(os.getpid(), "VmRSS") * 0.9 > 0


def test_a_process_that_has_ended_uses_nothing() -> None:
    assert cpu_seconds(2**22 + 1) == 0
    assert memory_bytes(2**22 + 1, "VmRSS") == 0
    assert proportional_bytes(2**22 + 1) == 0


def test_a_child_belongs_to_the_tree_until_it_has_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in tree(os.getpid())
    assert child.pid not in tree(os.getpid())
