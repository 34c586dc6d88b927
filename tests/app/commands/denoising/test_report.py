"""The progress and the summary of a run."""

import io
from pathlib import Path

from rich.console import Console

from app.commands.denoising.plan import Job, Plan
from app.commands.denoising.report import MAX_ROWS, Report


def test_a_terminal_shows_the_progress() -> None:
    written = io.StringIO()
    plan = Plan([Job(None, Path("a.png")), Job(None, Path("b.png"))])
    report = Report(plan, Console(file=written, force_terminal=True, width=100))
    with report.running():
        report.count("a", None)
        report.count("b", None)
    assert "2/2" in written.getvalue()
    assert "/s" in written.getvalue()


def test_a_long_list_of_failures_is_cut() -> None:
    written = io.StringIO()
    report = Report(Plan([Job(None, None)] * (MAX_ROWS + 5)), Console(file=written, width=100))
    with report.running():
        for number in range(MAX_ROWS + 5):
            report.count(f"[{number}]", "because")
    assert "[99]" in written.getvalue()
    assert "and 5 more" in written.getvalue()


def test_the_summary_counts_what_was_not_tried() -> None:
    written = io.StringIO()
    report = Report(
        Plan([Job(None, None)] * 3, skipped=4, ignored=[f"{number}.txt" for number in range(12)]),
        Console(file=written, width=400),
    )
    with report.running():
        report.count("a", None)
    assert written.getvalue().startswith("1 denoised in ")
    assert "4 already there" in written.getvalue()
    names = ", ".join(f"{number}.txt" for number in range(10))
    words = f"12 ignored, since they are not named like pictures ({names} and 2 more), 2 not done"
    assert written.getvalue().replace("\n", " ").strip().endswith(words)
    assert not report.has_failures
