"""``serve``: start the HTTP service."""

import logging
import socket
from typing import TYPE_CHECKING

import click

from app.commands.configuration import (
    CommandError,
    check_keys,
    check_runtime,
    read_settings,
    read_store,
    unknown_variables,
)
from app.commands.examples import examples
from app.telemetry.logs import configure_logging

if TYPE_CHECKING:
    from app.inference.denoiser import Loader
    from app.settings import Settings

logger = logging.getLogger(__name__)


@click.command(
    help="Start the service; on SIGTERM or Ctrl-C, it finishes the requests in work and stops.",
    epilog=examples("serve", "serve --port 8001 --workers 2"),
)
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="TCP port; 0 lets the system choose.  [default: 8000]")
@click.option("--workers", type=int, help="Server processes.  [default: 1]")
@click.pass_obj
def command(load: "Loader | None", host: str | None, port: int | None, workers: int | None) -> int:
    """Start the service."""
    settings = read_settings(host=host, port=port, workers=workers)
    configure_logging(settings.log_format, settings.log_level)
    for warning in unknown_variables():
        logger.warning(warning)
    # All of this before worker processes start, which would all fail.
    sockets = _bind(settings)
    if load is None:
        check_runtime(settings)
    check_keys(settings)
    read_store(settings)

    from app.server.workers import serve  # here, so that a wrong setting is reported before FastAPI is imported

    return serve(settings, sockets, load=load)


def _bind(settings: "Settings") -> list[socket.socket]:
    from app.server.listening import bind_sockets

    ports = {settings.port: "with --port (0: any that is free)"}
    if settings.metrics_port is not None:
        ports[settings.metrics_port] = "with DENOISER_METRICS_PORT"
    sockets: list[socket.socket] = []
    for port, way in ports.items():
        try:
            sockets += bind_sockets(settings.host, port)
        except OSError as error:
            raise CommandError(
                f"cannot listen on {settings.host}, port {port}: {str(error.strerror).lower()}. "
                f"Choose another port {way}, another address with --host."
            ) from error
    return sockets
