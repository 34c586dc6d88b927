"""The service's command line: ``python -m app serve`` and ``python -m app health``."""

import argparse
import http.client
import sys
import urllib.request
from collections.abc import Sequence

from pydantic import ValidationError

from app import __version__
from app.errors import ModelStoreError
from app.settings import Settings

HEALTH_TIMEOUT_S = 3.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the process's exit code."""
    parser = _parser()
    given = vars(parser.parse_args(arguments))
    command = given.pop("command")
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            name = str(problem["loc"][0])
            print(f"denoiser: DENOISER_{name.upper()}: {problem['msg']}, not {problem['input']!r}", file=sys.stderr)
        return 2
    code: int = command(settings)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app",
        description="denoiser: send a noisy picture over HTTP, get a clean one back.",
        epilog="Every setting is also read from the environment, with the prefix DENOISER_; the README lists them.",
    )
    parser.add_argument("--version", action="version", version=f"denoiser {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="start the service", description="Start the service.")
    serve.set_defaults(command=_serve)
    health = commands.add_parser(
        "health",
        help="ask whether the service is ready",
        description="Ask a running service whether it is ready; ends with 0 if it is, else with 1.",
    )
    health.set_defaults(command=_health)
    for command in (serve, health):
        command.add_argument("--host", help="address of the service (default: 127.0.0.1)")
        command.add_argument("--port", type=int, help="its TCP port (default: 8000)")
    serve.add_argument("--workers", type=int, help="server processes (default: 1)")
    return parser


def _serve(settings: Settings) -> int:
    from app.model_store import open_store
    from app.server import serve  # here, so that --help and health wait neither for FastAPI nor for TensorFlow

    try:
        open_store(settings.model_store, default=settings.default_model)
    except ModelStoreError as error:
        print(f"denoiser: {error}", file=sys.stderr)
        return 1
    return serve(settings)


def _health(settings: Settings) -> int:
    url = f"{settings.local_url(settings.port)}/readyz"
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy cannot reach loopback
        with opener.open(url, timeout=HEALTH_TIMEOUT_S):
            print(f"{url}: ready")
            return 0
    except (OSError, http.client.HTTPException) as error:
        print(f"{url}: not ready: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
