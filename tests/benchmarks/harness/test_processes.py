import os

from benchmarks.harness.processes import cpu_seconds, memory_bytes, tree


def test_a_process_alone_is_a_tree_with_cpu_time_and_memory() -> None:
    assert os.getpid() in tree(os.getpid())
    assert abs(cpu_seconds(os.getpid()) - sum(os.times()[:2])) < 0.5
    assert memory_bytes(os.getpid(), "VmHWM") >= memory_bytes(os.getpid(), "VmRSS") * 0.9 > 0


def test_a_process_that_has_ended_uses_nothing() -> None:
    assert cpu_seconds(2**22 + 1) == 0
    assert memory_bytes(2**22 + 1, "VmRSS") == 0
