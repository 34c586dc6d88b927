import pytest

from app.telemetry.timing import STAGES, StageTimer, server_timing


def test_every_stage_and_the_total_exist_from_the_start() -> None:
    milliseconds = StageTimer().timing_ms()
    assert list(milliseconds) == [*STAGES, "total"]
    assert all(milliseconds[stage] == 0 for stage in STAGES)


def test_a_time_that_was_measured_elsewhere_is_added() -> None:
    timer = StageTimer()
    timer.add("infer", seconds=0.25)
    timer.add("infer", seconds=0.5)
    assert timer.timing_ms()["infer"] == 750
    assert timer.timing_ms()["queue"] == 0


def test_a_block_is_counted_in_its_stage_and_in_the_total() -> None:
    timer = StageTimer()
    with timer.stage("decode"):
        sum(range(100_000))
    milliseconds = timer.timing_ms()
    assert milliseconds["decode"] > 0
    assert milliseconds["total"] >= milliseconds["decode"]
    assert milliseconds["read"] == 0


def test_a_block_that_fails_is_counted_too() -> None:
    timer = StageTimer()

    def fail() -> None:
        with timer.stage("decode"):
            sum(range(100_000))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert timer.timing_ms()["decode"] > 0


def test_times_have_three_decimals() -> None:
    timer = StageTimer()
    timer.add("read", seconds=0.0012345678)
    assert timer.timing_ms()["read"] == 1.235


def test_an_unknown_stage_is_an_error() -> None:
    with pytest.raises(KeyError):
        StageTimer().add("sleep", seconds=1)


def test_server_timing_lists_names_and_durations() -> None:
    assert server_timing({"read": 0.1, "total": 12.0}) == "read;dur=0.1, total;dur=12.0"
