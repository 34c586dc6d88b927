"""``models``: list the models of the store or of a service."""

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from app.commands.configuration import KEY_VARIABLE, read_settings, read_store
from app.commands.console import stdout_console
from app.commands.examples import examples
from app.commands.options import check_needs_url
from app.inference.metadata import AUTO
from app.web.schemas import AutoChoice, ModelEntry, ModelList


@click.command(
    help="List the models of the store, or with --url those of a service.",
    epilog=examples("models", "models --url http://127.0.0.1:8000"),
)
@click.option("--url", metavar="URL", help="Address of a service.")
@click.option(
    "--key", metavar="KEY", envvar=KEY_VARIABLE, show_envvar=True, help="With --url: the key, if the service wants one."
)  # fmt: skip
def command(url: str | None, key: str | None) -> None:
    """List the models."""
    check_needs_url(url, "key")
    models = _ask(url, key) if url else ModelList.of(read_store(read_settings()))
    table = Table(
        "name", "versions", "takes", "polarity", "PSNR", "description", box=SIMPLE_HEAD, pad_edge=False, show_edge=False
    )
    for model in models.models:
        table.add_row(*_row(model, is_default=model.name == models.default))
    console = stdout_console()
    console.print(table)
    console.print(Text(f"{AUTO}{' (default)' if models.default == AUTO else ''}: {_describe_auto(models.auto)}"))


def _ask(url: str, key: str | None) -> ModelList:
    from app.commands.denoising.remote import RemoteBackend  # here: listing the store does not need it

    return RemoteBackend(url, key=key).models()


def _describe_auto(auto: AutoChoice) -> str:
    if auto.small == auto.large:
        return auto.small
    side = auto.small_side_px
    return f"{auto.small} up to {side}x{side} pixels and with --fit mnist, else {auto.large}"


def _row(model: ModelEntry, *, is_default: bool) -> list[str]:
    size = model.input.size
    psnr_db = model.metrics.get("psnr_db")
    return [
        f"{model.name} (default)" if is_default else model.name,
        ", ".join(map(str, model.versions)),
        "any size" if size is None else f"{size[1]}x{size[0]}",
        model.input.polarity or "any",
        f"{psnr_db:.1f} dB" if isinstance(psnr_db, float | int) else "",
        model.description,
    ]
