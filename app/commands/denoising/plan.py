"""Plan which picture becomes which result, and find all mistakes that show before a picture is read."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.commands.configuration import CommandUsageError
from app.imaging.encode import ENDINGS, OutputFormat

STREAM = "-"
STREAM_NAME = "stdin"
FORMATS: Mapping[str, OutputFormat] = {ending: name for name, ending in ENDINGS.items()} | {".jpeg": "jpeg"}
# Only these are taken from folders; a file that the user names is tried whatever its ending.
PICTURE_ENDINGS = (
    ".avif", ".bmp", ".dib", ".gif", ".heic", ".heif", ".jfif", ".jpe", ".jpeg", ".jpg", ".mpo", ".pbm", ".pfm",
    ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp",
)  # fmt: skip


@dataclass(frozen=True)
class Job:
    """One picture and where its result goes; None is standard input or standard output."""

    source: Path | None
    target: Path | None

    @property
    def name(self) -> str:
        """The picture's name as the user wrote it."""
        return "standard input" if self.source is None else str(self.source)

    @property
    def filename(self) -> str:
        """The picture's name without its folder."""
        return STREAM_NAME if self.source is None else self.source.name


@dataclass(frozen=True)
class Failure:
    """A file without a result, and why."""

    name: str
    reason: str


@dataclass
class Plan:
    """The jobs, and what is left out: existing results, files that cannot be used, and files that are no pictures.

    ``format`` is that of all results.
    """

    jobs: list[Job] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    skipped: int = 0
    ignored: list[str] = field(default_factory=list)
    format: OutputFormat = "png"


def make_plan(
    inputs: Sequence[str],
    output: str | None,
    *,
    overwrite: bool,
    output_format: OutputFormat | None = None,
    may_be_empty: bool = False,
) -> Plan:
    """Find the pictures and name their results.

    A single picture goes to ``output`` if that ends in .png, .jpg, .webp or .avif, which also chooses the format; all
    else goes into the folder ``output``: files under their own names, and pictures in a folder at their places in it,
    below the folder's own name if there are several inputs. ``output_format`` is what the user asks for, if anything.
    With ``may_be_empty``, there need not be a picture yet.

    Raises:
        CommandUsageError: inputs and output do not fit together, or there is no picture.
    """
    output = _choose_output(inputs, output)
    named = _format_of_file(inputs, output)
    if named and output_format not in (None, named):
        raise CommandUsageError(f"{output}: the name says {named}, but --format says {output_format}")
    plan = Plan(format=output_format or named or "png")
    jobs = list(_pair(inputs, output, plan, is_file=named is not None))
    if not (jobs or plan.failures or may_be_empty):
        raise CommandUsageError(f"{', '.join(inputs)}: no picture found (files with endings like .png, .jpg or .tif)")
    _refuse_to_replace_inputs(jobs)
    targets: dict[Path, Job] = {}
    for job in jobs:
        if job.target is not None and (other := targets.setdefault(job.target, job)) is not job:
            reason = f"its result would be {job.target}, like that of {other.name}; rename one of them"
            plan.failures.append(Failure(job.name, reason))
        elif job.target is not None and job.target.exists() and not overwrite:
            plan.skipped += 1
        else:
            plan.jobs.append(job)
    return plan


def _choose_output(inputs: Sequence[str], output: str | None) -> str:
    for name in inputs:
        if name != STREAM and not Path(name).exists():
            raise CommandUsageError(f"{name}: no such file or folder")
    if output is None and list(inputs) != [STREAM]:
        raise CommandUsageError(f"use -o to say where the results go; -o {STREAM} is standard output")
    return STREAM if output is None else output


def _format_of_file(inputs: Sequence[str], output: str) -> OutputFormat | None:
    """Return the format that the name of the only result chooses; None if ``output`` is a folder or a stream."""
    target = Path(output)
    if output == STREAM or output.endswith("/") or target.is_dir() or not target.suffix:
        return None
    if not _is_single(inputs):
        if target.suffix.lower() in FORMATS:
            raise CommandUsageError(
                f"{output}: this names one picture, but several need a folder; {output}/ makes one of this name"
            )
        return None
    chosen = FORMATS.get(target.suffix.lower())
    if chosen is None:
        raise CommandUsageError(f"{output}: the name of a result must end in {', '.join(sorted(FORMATS))}")
    return chosen


def _is_single(inputs: Sequence[str]) -> bool:
    return len(inputs) == 1 and not Path(inputs[0]).is_dir()


def _pair(inputs: Sequence[str], output: str, plan: Plan, *, is_file: bool) -> Iterator[Job]:
    if output == STREAM:
        if not _is_single(inputs):
            raise CommandUsageError("standard output takes one picture only; name a folder with -o")
        yield Job(_source(inputs[0]), None)
        return
    target = Path(output)
    if is_file:
        yield Job(_source(inputs[0]), target)
        return
    if target.exists() and not target.is_dir():
        raise CommandUsageError(f"{output}: the results need a folder, but this is a file")
    for name in inputs:
        if name == STREAM or not Path(name).is_dir():
            source = _source(name)
            yield Job(source, target / f"{STREAM_NAME if source is None else source.stem}{ENDINGS[plan.format]}")
        else:
            yield from _walk(Path(name), target, plan, keep_name=len(inputs) > 1)


def _source(name: str) -> Path | None:
    return None if name == STREAM else Path(name)


def _walk(folder: Path, target: Path, plan: Plan, *, keep_name: bool) -> Iterator[Job]:
    """Pair the pictures in a folder and its subfolders, in the order of their names; skip hidden ones."""
    if target.resolve().is_relative_to(folder.resolve()):
        raise CommandUsageError(f"{target} is inside {folder}: the next run would take its results for pictures")
    if keep_name:
        target /= folder.resolve().name

    def note(error: OSError) -> None:
        plan.failures.append(Failure(str(error.filename), f"cannot be read: {error.strerror}"))

    for place, folders, files in os.walk(folder, onerror=note):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for file in sorted(name for name in files if not name.startswith(".")):
            source = Path(place, file)
            if source.suffix.lower() in PICTURE_ENDINGS:
                yield Job(source, (target / source.relative_to(folder)).with_suffix(ENDINGS[plan.format]))
            else:
                plan.ignored.append(str(source))


def _refuse_to_replace_inputs(jobs: Sequence[Job]) -> None:
    sources = {_identity(job.source) for job in jobs if job.source is not None}
    for job in jobs:
        if job.target is not None and _identity(job.target) in sources:
            raise CommandUsageError(
                f"{job.target} is one of the pictures and would be replaced by a result; use another -o"
            )


def _identity(path: Path) -> Path:
    """Return the same path for a file, whatever path leads to its folder."""
    return path.parent.resolve() / path.name
