"""The query parameters of the HTTP API as options, generated from their one definition, DenoiseQuery."""

from collections.abc import Callable, Mapping
from typing import Any

import click
from click.core import ParameterSource
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from app.commands.configuration import CommandUsageError, read_settings
from app.inference.metadata import AUTO
from app.web.schemas import DenoiseQuery

HELP = {  # where the command line differs from the API
    "model": "Name of a model, see the command models. By default auto, which chooses by the picture: up to 64×64 "
    "pixels, or with --fit mnist, the default model, and for larger pictures one that takes any size. It ignores "
    "options that the chosen model cannot use.",
    "format": "Format of the results; by default, what the name of OUT ends in, else png.",
    "version": "Version of the model; by default, the highest. Alone, it means the default model.",
}
SHORT_FLAGS = {"model": "-m"}
KIND_NAMES = {"integer": "INTEGER", "number": "NUMBER", "string": "TEXT"}

Command = Callable[..., Any]
Completer = Callable[[click.Context, click.Parameter, str], list[str]]


def query_options(command: Command) -> Command:
    """Add one option for each field of DenoiseQuery: ``--output-size`` for ``output_size``, for example."""
    schema = DenoiseQuery.model_json_schema()
    properties: dict[str, dict[str, Any]] = schema["properties"]
    for name, field in reversed(DenoiseQuery.model_fields.items()):
        flags = [flag for flag in (SHORT_FLAGS.get(name), _flag(name)) if flag]
        option = click.option(
            *flags,
            name,
            metavar=metavar(properties[name]),
            help=_help(name, field),
            shell_complete=_complete(properties[name]),
        )
        command = option(command)
    return command


def read_query(given: Mapping[str, Any]) -> DenoiseQuery:
    """Check the values of the options that query_options added.

    Raises:
        CommandError: a value is wrong.
    """
    try:
        return DenoiseQuery(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        if not problem["loc"]:  # values that contradict each other
            raise CommandUsageError(problem["msg"]) from None
        name = str(problem["loc"][0])
        raise CommandUsageError(f"{_flag(name)}: {problem['msg']}, not {given[name]!r}") from None


def check_needs_url(url: str | None, *names: str) -> None:
    """Check that options which are only for a service come with its address; a variable of the environment may be set.

    Raises:
        CommandUsageError: one of them was given without ``--url``.
    """
    for name in names if url is None else ():
        if click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise CommandUsageError(f"{_flag(name)} is for a service: say with --url which one")


def metavar(schema: Mapping[str, Any]) -> str:
    """Return what a JSON schema allows: the values if it lists them, else the type."""
    if "enum" in schema:
        return "|".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    kinds = [metavar(kind) for kind in schema.get("anyOf", ()) if kind.get("type") != "null"]
    return "|".join(kinds) if kinds else KIND_NAMES.get(str(schema.get("type")), "VALUE")


def _complete(schema: Mapping[str, Any]) -> Completer:
    """Return what completes a value: those that the schema lists, or the names of models."""
    listed = [word for word in metavar(schema).split("|") if word not in KIND_NAMES.values()]

    def complete(_context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        words = list_models() if parameter.name == "model" else listed
        return [word for word in words if word.startswith(incomplete)]

    return complete


def list_models() -> list[str]:
    """Return the names that ``--model`` can have, by the folders of the store alone."""
    store = read_settings().model_store
    names = [path.name for path in store.glob("[!.]*") if path.is_dir()] if store.is_dir() else []
    return [AUTO, *sorted(names)]


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _help(name: str, field: FieldInfo) -> str:
    return HELP.get(name) or (field.description or "").replace("`", "")
