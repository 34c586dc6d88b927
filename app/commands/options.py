"""The query parameters of the HTTP API as options, generated from their one definition, DenoiseQuery."""

from collections.abc import Callable, Mapping
from typing import Any

import click
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from app.commands.configuration import CommandUsageError
from app.web.schemas import DenoiseQuery

KIND_NAMES = {"integer": "INTEGER", "number": "NUMBER", "string": "TEXT"}

Command = Callable[..., Any]


def query_options(command: Command) -> Command:
    """Add one option for each field of DenoiseQuery: ``--output-size`` for ``output_size``, for example."""
    schema = DenoiseQuery.model_json_schema()
    properties: dict[str, dict[str, Any]] = schema["properties"]
    for name, field in reversed(DenoiseQuery.model_fields.items()):
        option = click.option(_flag(name), name, metavar=metavar(properties[name]), help=_help(field))
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


def metavar(schema: Mapping[str, Any]) -> str:
    """Return what a JSON schema allows: the values if it lists them, else the type."""
    if "enum" in schema:
        return "|".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    kinds = [metavar(kind) for kind in schema.get("anyOf", ()) if kind.get("type") != "null"]
    return "|".join(kinds) if kinds else KIND_NAMES.get(str(schema.get("type")), "VALUE")


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _help(field: FieldInfo) -> str:
    return (field.description or "").replace("`", "")
