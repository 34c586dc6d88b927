"""``denoise``: clean files, folders and streams, in this process or with a service."""

import time
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import click
from rich.console import Console
from rich.text import Text

from app.commands.configuration import KEY_VARIABLE, CommandUsageError, read_settings
from app.commands.console import stderr_console
from app.commands.denoising.plan import Job, make_plan
from app.commands.denoising.report import Report
from app.commands.denoising.results import Result, write_result
from app.commands.denoising.watch import Watch
from app.commands.examples import examples
from app.commands.options import check_needs_url, query_options, read_query
from app.inference.metadata import AUTO
from app.web.schemas import DenoiseQuery

CONNECTIONS = 8
POLL_S = 1.0


@click.command(
    help="""Clean pictures: files, folders (with their subfolders), or - for standard input.

    If OUT ends in .png, .jpg, .webp or .avif, or is - for standard output, the one result goes there, and the ending
    chooses the format. Otherwise OUT is a folder, in which pictures from a folder keep their places. Existing results
    are skipped, so that an interrupted run can be resumed. A picture that fails does not stop the others; the exit
    code is then 1. Unless you name a model, one is chosen for each picture by its size.""",
    short_help="Clean pictures, folders of them, or standard input.",
    epilog=examples(
        "denoise photo.jpg -o clean.png",
        "denoise photos/ scans/ -o clean/ --format webp",
        "denoise scan.png -o clean.png -m photo --strength 0.7",
        "denoise - < noisy.png > clean.png",
        "denoise inbox/ -o clean/ --watch",
        "denoise photos/ -o clean/ --url http://127.0.0.1:8000 -c 4",
    ),
)
@click.argument("inputs", metavar="IN...", nargs=-1, required=True, type=click.Path(allow_dash=True))
@click.option(
    "-o", "--output", metavar="OUT", type=click.Path(allow_dash=True),
    help="Where the results go; - is standard output.",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace existing results.")
@click.option("--watch", is_flag=True, help="Also clean what is put into the folders later, until Ctrl-C.")
@click.option("--url", metavar="URL", help="Use the service at this address.")
@click.option(
    "--key", metavar="KEY", envvar=KEY_VARIABLE, show_envvar=True, help="With --url: the key, if the service wants one."
)  # fmt: skip
@click.option(
    "-c", "--connections", type=click.IntRange(1, 64), default=CONNECTIONS, show_default=True, metavar="N",
    help="With --url: requests in flight at once.",
)  # fmt: skip
@query_options
@click.pass_obj
def command(
    load: Callable[[Path], Any] | None,
    /,
    inputs: tuple[str, ...],
    output: str | None,
    *,
    overwrite: bool,
    watch: bool,
    url: str | None,
    key: str | None,
    connections: int,
    **given: str | None,
) -> int:
    """Clean pictures."""
    check_needs_url(url, "key", "connections")
    query = read_query(given)
    if query.model is None and query.version is None:
        query = query.model_copy(update={"model": AUTO})
    if watch and not all(Path(name).is_dir() for name in inputs):
        raise CommandUsageError("--watch takes folders only")
    look = partial(make_plan, inputs, output, overwrite=overwrite, output_format=query.format, may_be_empty=watch)
    plan = look()
    query = query.model_copy(update={"format": plan.format})
    console = stderr_console()
    results = _nothing()
    backend = None
    if plan.jobs or watch:
        with console.status("getting ready"):  # shown on terminals only
            backend = _connect(url, query, key, connections) if url else _load(query, load)
    if watch and backend is not None:
        return follow(Watch(look), backend, console)
    if backend is not None:
        results = backend.denoise(plan.jobs)
    report = Report(plan, console, names_models=query.model == AUTO)
    with report.running(), closing(results):
        for result in results:
            report.count(result.job.name, write_result(result), result.model)
    return int(report.has_failures)


def follow(watch: Watch, backend: "Backend", console: Console, *, sleep: Callable[[float], None] = time.sleep) -> int:
    """Denoise what the watch finds, and say so line by line, until Ctrl-C; return the exit code."""
    denoised = failed = 0
    console.print("watching; Ctrl-C ends it")
    try:
        while True:
            ready = watch.find_ready()
            for result in backend.denoise(ready) if ready else _nothing():
                reason = write_result(result)
                denoised += reason is None
                failed += reason is not None
                by = "" if result.model is None else f" ({result.model[0]}/{result.model[1]})"
                console.print(Text(f"{result.job.name}: {reason or f'{result.job.target}{by}'}"))
            sleep(POLL_S)
    except KeyboardInterrupt:
        console.print(f"{denoised} denoised, {failed} failed")
        return int(failed > 0)


def _nothing() -> Generator[Result, None, None]:
    yield from ()


class Backend(Protocol):
    """Denoises pictures in this process or elsewhere; results come in any order."""

    def denoise(self, jobs: Iterable[Job]) -> Generator[Result, None, None]:
        """Denoise pictures."""
        ...


def _connect(url: str, query: DenoiseQuery, key: str | None, connections: int) -> Backend:
    from app.commands.denoising.remote import RemoteBackend  # here and below: neither backend needs the other's imports

    backend = RemoteBackend(url, query, key=key, connections=connections)
    names = [model.name for model in backend.models().models]
    if query.model not in (None, AUTO, *names):
        raise CommandUsageError(f"{url} has no model named {query.model!r}. Available: {', '.join(names)}.")
    return backend


def _load(query: DenoiseQuery, load: Callable[[Path], Any] | None) -> Backend:
    from app.commands.denoising.local import LocalBackend

    return LocalBackend(read_settings(), query, load=load)
