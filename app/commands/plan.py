"""Which files become which: everything that can be said before the first picture is read."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.commands.configuration import CommandUsageError

STREAM = "-"
STREAM_NAME = "stdin"
ENDING = ".png"
# Of the files in folders; a file that is named is tried whatever its ending.
PICTURE_ENDINGS = (
    ".bmp", ".dib", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".mpo", ".pbm", ".pfm", ".pgm", ".png", ".pnm", ".ppm",
    ".tif", ".tiff", ".webp",
)  # fmt: skip


@dataclass(frozen=True)
class Job:
    """One picture and where its result goes; None is standard input, or standard output."""

    source: Path | None
    target: Path | None

    @property
    def name(self) -> str:
        """The picture's name, as the user knows it."""
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
    """What is to be done, and what is not: results that are there, files that cannot be used, other files."""

    jobs: list[Job] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    skipped: int = 0
    ignored: int = 0


def make_plan(inputs: Sequence[str], output: str | None, *, overwrite: bool) -> Plan:
    """Find the pictures and name their results.

    A single picture goes to ``output`` where that ends in .png; all else goes into the folder ``output``: files under
    their own names, what is in a folder at its place in it, and below the folder's own name where there are several
    inputs.

    Raises:
        CommandError: inputs and output do not fit together, or there is nothing to do.
    """
    plan = Plan()
    jobs = list(_pair(inputs, _choose_output(inputs, output), plan))
    if not jobs and not plan.failures:
        raise CommandUsageError(
            f"{', '.join(inputs)}: there is no picture (files with endings like .png, .jpg or .tif)"
        )
    _refuse_to_replace_inputs(jobs)
    targets: dict[Path, Job] = {}
    for job in jobs:
        if job.target is not None and (other := targets.setdefault(job.target, job)) is not job:
            reason = f"its result would be {job.target}, which is that of {other.name}; rename one of them"
            plan.failures.append(Failure(job.name, reason))
        elif job.target is not None and job.target.exists() and not overwrite:
            plan.skipped += 1
        else:
            plan.jobs.append(job)
    return plan


def _choose_output(inputs: Sequence[str], output: str | None) -> str:
    for name in inputs:
        if name != STREAM and not Path(name).exists():
            raise CommandUsageError(f"{name}: there is no such file or folder")
    if output is None and list(inputs) != [STREAM]:
        raise CommandUsageError(f"say with -o where the results go; -o {STREAM} is standard output")
    return STREAM if output is None else output


def _pair(inputs: Sequence[str], output: str, plan: Plan) -> Iterator[Job]:
    is_single = len(inputs) == 1 and not Path(inputs[0]).is_dir()
    if output == STREAM:
        if not is_single:
            raise CommandUsageError("standard output has room for one picture; name a folder with -o")
        yield Job(_source(inputs[0]), None)
        return
    target = Path(output)
    if is_single and not target.is_dir() and target.suffix and not output.endswith("/"):
        if target.suffix.lower() != ENDING:
            raise CommandUsageError(f"{output}: results are PNGs; let the name end in {ENDING}")
        yield Job(_source(inputs[0]), target)
        return
    if target.exists() and not target.is_dir():
        raise CommandUsageError(f"{output}: the results need a folder, but this is a file")
    for name in inputs:
        if name == STREAM or not Path(name).is_dir():
            source = _source(name)
            yield Job(source, target / f"{STREAM_NAME if source is None else source.stem}{ENDING}")
        else:
            yield from _walk(Path(name), target, plan, keep_name=len(inputs) > 1)


def _source(name: str) -> Path | None:
    return None if name == STREAM else Path(name)


def _walk(folder: Path, target: Path, plan: Plan, *, keep_name: bool) -> Iterator[Job]:
    """Pair the pictures in a folder and those below it, in the order of their names; hidden ones are left out."""
    if target.resolve().is_relative_to(folder.resolve()):
        raise CommandUsageError(f"{target} is inside {folder}: its results would be taken for pictures the next time")
    if keep_name:
        target /= folder.resolve().name

    def note(error: OSError) -> None:
        plan.failures.append(Failure(str(error.filename), f"cannot be read: {error.strerror}"))

    for place, folders, files in os.walk(folder, onerror=note):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for file in sorted(name for name in files if not name.startswith(".")):
            source = Path(place, file)
            if source.suffix.lower() in PICTURE_ENDINGS:
                yield Job(source, (target / source.relative_to(folder)).with_suffix(ENDING))
            else:
                plan.ignored += 1


def _refuse_to_replace_inputs(jobs: Sequence[Job]) -> None:
    sources = {_identity(job.source) for job in jobs if job.source is not None}
    for job in jobs:
        if job.target is not None and _identity(job.target) in sources:
            raise CommandUsageError(
                f"{job.target} is one of the pictures and would be replaced by a result; choose another place with -o"
            )


def _identity(path: Path) -> Path:
    """A file under one name, whatever way leads to its folder."""
    return path.parent.resolve() / path.name
