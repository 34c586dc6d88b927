import pytest

from benchmarks.harness import pictures, targets
from benchmarks.harness.pictures import RAW, noisy_digit, read_answer, to_png
from benchmarks.harness.wrk import MARK, Load, parse_summary
from benchmarks.scenarios.load import Measurement, Results, check_answer, median_ratio
from benchmarks.scenarios.load_report import share_of_limit

SUMMARY = '{"requests": 3000, "duration_us": 2000000, "p50_us": 8000, "p99_us": 9500, "not_2xx": 2, "broken": 1}'


def measured(name: str, number: int, *, per_s: float, cpu_ms: float) -> Measurement:
    return Measurement(name, number, RAW, 32, Load(100, per_s, 1.0, 2.0, 0), cpu_ms)


def test_the_summary_is_found_in_the_output_of_wrk() -> None:
    load = parse_summary(f"Running 2s test\n  1 threads\n{MARK}{SUMMARY}\n")
    assert load == Load(requests=3000, per_s=1500.0, p50_ms=8.0, p99_ms=9.5, failed=3)


def test_ratios_are_taken_within_a_round() -> None:
    results = Results("machine", "digits/2", 1)
    for number, (ours, theirs) in enumerate(((100, 50), (10, 4), (1000, 250))):
        results.measurements += [
            measured("a", number, per_s=ours, cpu_ms=1),
            measured("b", number, per_s=theirs, cpu_ms=1),
        ]
    assert median_ratio(results, ("a", "b"), (RAW, 32), lambda found: found.load.per_s) == 2.5


def test_the_limit_is_the_echo_and_the_work_in_the_cheaper_batch() -> None:
    results = Results("machine", "digits/2", 1)
    results.steps = [{"decode": 50, "infer_32": 200, "infer_64": 100, "encode": 50}]
    results.measurements = [
        measured(targets.ECHO, 0, per_s=1, cpu_ms=0.1),
        measured(targets.OURS, 0, per_s=1, cpu_ms=0.6),
    ]
    assert share_of_limit(results) == pytest.approx(0.5)


def test_a_response_that_is_the_upload_itself_is_detected() -> None:
    png = to_png(noisy_digit())
    assert check_answer(png, png, read_answer(png)) == "the picture as it was sent"


def test_a_response_that_is_no_picture_or_another_one_is_detected() -> None:
    png = to_png(noisy_digit())
    expected = read_answer(png)
    assert check_answer(b"{}", png, expected).startswith("no picture")
    assert "levels" in check_answer(to_png(255 - noisy_digit()), png, expected)


def test_a_form_holds_the_picture_unchanged() -> None:
    content_type, body = pictures.form(b"picture")
    assert content_type == f"multipart/form-data; boundary={pictures.BOUNDARY}"
    assert b'name="file"' in body
    assert b"\r\n\r\npicture\r\n--" in body
