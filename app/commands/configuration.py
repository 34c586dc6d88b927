"""Read the settings and the model store for a command, and turn what is wrong into exit codes."""

import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click
from pydantic import ValidationError

from app.settings import Settings

if TYPE_CHECKING:
    from app.inference.model_store import Catalogue


KEY_VARIABLE = "DENOISER_KEY"  # no setting of the service, but the key of its clients


class CommandError(click.ClickException):
    """Ends the command with a message and exit code 1."""

    def show(self, file: Any = None) -> None:  # noqa: ANN401, ARG002  # click's
        """Write the message to stderr."""
        click.echo(f"denoiser: {self.format_message()}", err=True)


class CommandUsageError(CommandError):
    """Ends the command with exit code 2, because its arguments or settings are wrong."""

    exit_code = 2


def read_settings(**given: Any) -> Settings:  # noqa: ANN401  # pydantic checks them
    """Read the settings that are not given from the environment; None counts as not given.

    Raises:
        CommandError: a setting is wrong.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        problems = [
            f"DENOISER_{str(problem['loc'][0]).upper()}: {problem['msg']}, not {problem['input']!r}"
            for problem in error.errors(include_url=False)
        ]
        raise CommandUsageError("\ndenoiser: ".join(problems)) from None


def unknown_variables(environment: Mapping[str, str] = os.environ) -> Iterator[str]:
    """Complain of every variable that looks like a setting and is none, and name the setting that may be meant."""
    prefix = Settings.model_config["env_prefix"]
    for variable in environment:
        name = variable.upper().removeprefix(prefix).lower()
        if variable.upper().startswith(prefix) and variable != KEY_VARIABLE and name not in Settings.model_fields:
            meant = get_close_matches(name, Settings.model_fields, n=1)
            yield f"{variable} is no setting" + (f"; is {prefix}{meant[0].upper()} meant?" if meant else "")


def check_keys(settings: Settings) -> None:
    """Check that the file of keys can be used, if there is one.

    Raises:
        CommandError: it cannot.
    """
    from app.access.key_file import read_keys
    from app.errors import KeyFileError

    if settings.keys_file is not None:
        try:
            read_keys(settings.keys_file)
        except KeyFileError as error:
            raise CommandError(str(error)) from error


def check_runtime(settings: Settings) -> None:
    """Check that the runtime of the networks is installed.

    Raises:
        CommandError: it is not.
    """
    from app.errors import ModelStoreError
    from app.inference.runtimes import check_installed

    try:
        check_installed(settings.runtime)
    except ModelStoreError as error:
        raise CommandError(str(error)) from error


def read_store(settings: Settings) -> "Catalogue":
    """Find and check every model in the store.

    Raises:
        CommandError: the store cannot be used.
    """
    from app.errors import ModelStoreError
    from app.inference.model_store import open_store  # here, so that health does not wait for NumPy

    try:
        return open_store(settings.model_store, default=settings.default_model)
    except ModelStoreError as error:
        raise CommandError(str(error)) from error
