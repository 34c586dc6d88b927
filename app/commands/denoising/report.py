"""Show the progress of a run, and at its end a summary, both on stderr."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskProgressColumn,
    TimeRemainingColumn,
)  # fmt: skip
from rich.table import Table
from rich.text import Text

from app.commands.denoising.plan import Failure, Plan
from app.inference.metadata import ModelKey

MAX_ROWS = 100
MAX_NAMES = 10


class Report:
    """Counts results and shows them; with ``names_models``, also which models were chosen."""

    def __init__(self, plan: Plan, console: Console, *, names_models: bool = False) -> None:
        self._plan = plan
        self._names_models = names_models
        self._models: Counter[ModelKey] = Counter()
        self._console = console
        self._start = time.perf_counter()
        self._failures = list(plan.failures)
        self._denoised = 0
        self._progress = Progress(
            BarColumn(), TaskProgressColumn(), MofNCompleteColumn(), _RateColumn(), TimeRemainingColumn(),
            console=console, transient=True, disable=not console.is_terminal or len(plan.jobs) < 2,
        )  # fmt: skip
        self._task = self._progress.add_task("", total=len(plan.jobs))

    @contextmanager
    def running(self) -> Iterator[None]:
        """On a terminal, show the progress of a ``with`` block; however the block ends, show the summary."""
        try:
            with self._progress:
                yield
        finally:
            self._summarise()

    def count(self, name: str, reason: str | None, model: ModelKey | None = None) -> None:
        """Count a picture that was denoised by a model, or that failed for a ``reason``."""
        if reason is None:
            self._denoised += 1
            if model is not None and self._names_models:
                self._models[model] += 1
        else:
            self._failures.append(Failure(name, reason))
        self._progress.advance(self._task)

    @property
    def has_failures(self) -> bool:
        """Whether any file failed."""
        return bool(self._failures)

    def _summarise(self) -> None:
        plan = self._plan
        is_quiet = len(plan.jobs) == self._denoised == 1 and not (self._failures or plan.skipped or plan.ignored)
        if self._failures:
            self._show_failures()
        if not is_quiet:
            self._show_counts()
        if self._models:
            self._console.print(Text(f"model: {self._describe_models()}, chosen by size (--model names another)"))

    def _show_counts(self) -> None:
        plan = self._plan
        seconds = time.perf_counter() - self._start
        counts = {
            f"denoised in {seconds:.1f} s ({self._denoised / seconds:.1f}/s)": self._denoised,
            "already there (--overwrite replaces them)": plan.skipped,
            f"ignored, since they are not named like pictures ({_shorten(plan.ignored)})": len(plan.ignored),
            "failed": len(self._failures),
            "not done": len(plan.jobs) + len(plan.failures) - self._denoised - len(self._failures),
        }
        text = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        self._console.print(Text(text or "nothing to do"))

    def _describe_models(self) -> str:
        total = self._models.total()
        names = {f"{name}/{version}": count for (name, version), count in self._models.most_common()}
        return ", ".join(name if count == total else f"{name} for {count}" for name, count in names.items())

    def _show_failures(self) -> None:
        table = Table("file", "why it failed", box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
        table.columns[0].overflow = table.columns[1].overflow = "fold"
        for failure in self._failures[:MAX_ROWS]:
            table.add_row(Text(failure.name), Text(failure.reason))
        if (more := len(self._failures) - MAX_ROWS) > 0:
            table.add_row(f"and {more} more", "")
        self._console.print(table)


def _shorten(names: Sequence[str]) -> str:
    more = len(names) - MAX_NAMES
    return ", ".join(names[:MAX_NAMES]) + (f" and {more} more" if more > 0 else "")


class _RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f}/s", style="progress.data.speed")
