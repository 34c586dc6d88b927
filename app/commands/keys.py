"""``keys``: edit the file of keys that may call the service."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError
from rich.box import SIMPLE_HEAD
from rich.table import Table

from app.access.key_file import SCOPES, Key, create_secret, digest, editing, read_keys
from app.commands.configuration import CommandError, CommandUsageError, read_settings
from app.commands.console import stdout_console
from app.commands.examples import examples
from app.errors import KeyFileError

ID_LENGTH = 8  # characters of a digest that name a key

file_option = click.option(
    "--file", type=click.Path(path_type=Path), help="File of keys.  [default: DENOISER_KEYS_FILE]"
)


@click.group(
    help="Add, list and remove the keys of the service; a running one follows within two seconds.",
    epilog=examples("keys add shop --rate 5 --file keys.json", "keys list", "keys remove shop"),
)
def command() -> None:
    """Group the commands."""


@command.command(
    help="Add a key and print its secret, which is stored nowhere; a file that does not exist is made.",
    epilog=examples("keys add shop", "keys add prometheus --scope metrics", "keys add shop --rate 5 --burst 20"),
)
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(SCOPES), help="Repeatable.  [default: denoise]")
@click.option("--rate", type=float, help="Requests a second.  [default: any number]")
@click.option("--burst", type=int, help="Requests at once after a quiet time.  [default: 1]")
@click.option("--max-share", type=float, help="Part of all places that the key may hold.  [default: 0.5]")
@file_option
def add(
    name: str,
    scopes: tuple[Any, ...],
    rate: float | None,
    burst: int | None,
    max_share: float | None,
    file: Path | None,
) -> None:
    """Add a key; one of a name that exists takes over what is not given."""
    secret = create_secret()
    given = {"scopes": scopes or None, "rate": rate, "burst": burst, "max_share": max_share}
    with _editing(file) as keys:
        same = next((key for key in keys if key.name == name), None)
        values = {} if same is None else same.model_dump()
        values |= {option: value for option, value in given.items() if value is not None}
        keys.append(_make_key(values | {"name": name, "sha256": digest(secret)}))
    click.echo(secret)


@command.command("list", help="List the keys, without their secrets.", epilog=examples("keys list --file keys.json"))
@file_option
def list_(file: Path | None) -> None:
    """List the keys."""
    table = Table(
        "name", "id", "scopes", "a second", "at once", "share", box=SIMPLE_HEAD, pad_edge=False, show_edge=False
    )
    with _reporting():
        keys = read_keys(_path(file))
    for key in keys:
        rate = ("any", "any") if key.rate is None else (f"{key.rate:g}", str(key.burst))
        table.add_row(key.name, _id(key), ", ".join(key.scopes), *rate, f"{key.max_share:.0%}")
    stdout_console().print(table)


@command.command(
    help="Remove a key; where several have the name, --id says which.",
    epilog=examples("keys remove shop", "keys remove shop --id 1a2b3c4d"),
)
@click.argument("name")
@click.option("--id", "key_id", help="What `keys list` shows as id.")
@click.option("--all", "removes_all", is_flag=True, help="Remove every key of the name.")
@file_option
def remove(name: str, key_id: str | None, removes_all: bool, file: Path | None) -> None:
    """Remove a key."""
    with _editing(file) as keys:
        found = [key for key in keys if key.name == name and key_id in (None, _id(key))]
        if not found:
            raise CommandError(f"there is no such key named {name}" + (f" with the id {key_id}" if key_id else ""))
        if len(found) > 1 and not removes_all:
            ids = ", ".join(map(_id, found))
            raise CommandUsageError(f"{len(found)} keys are named {name}: choose one with --id ({ids}), or --all")
        keys[:] = [key for key in keys if key not in found]


def _path(file: Path | None) -> Path:
    path = file or read_settings().keys_file
    if path is None:
        raise CommandUsageError("there is no file of keys: set DENOISER_KEYS_FILE, or name one with --file")
    return path


@contextmanager
def _editing(file: Path | None) -> Iterator[list[Key]]:
    with _reporting(), editing(_path(file)) as keys:
        yield keys


@contextmanager
def _reporting() -> Iterator[None]:
    try:
        yield
    except KeyFileError as error:
        raise CommandError(str(error)) from error


def _make_key(values: dict[str, Any]) -> Key:
    try:
        return Key(**values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise CommandUsageError(f"{first['loc'][0]}: {first['msg']}") from None


def _id(key: Key) -> str:
    return key.sha256[:ID_LENGTH]
