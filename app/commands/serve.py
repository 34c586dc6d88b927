"""``serve``: the HTTP service."""

import click

from app.commands.configuration import read_settings, read_store


@click.command(help="Start the service; SIGTERM and Ctrl-C end it after the requests that are in work.")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="TCP port; 0 lets the system choose.  [default: 8000]")
@click.option("--workers", type=int, help="Server processes.  [default: 1]")
def command(host: str | None, port: int | None, workers: int | None) -> int:
    """Start the service."""
    settings = read_settings(host=host, port=port, workers=workers)
    read_store(settings)  # before any process starts that could fail for it

    from app.server.workers import serve  # here, so that a wrong setting is told without waiting for FastAPI

    return serve(settings)
