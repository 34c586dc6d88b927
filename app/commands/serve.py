"""``serve``: start the HTTP service."""

import click

from app.commands.configuration import read_settings, read_store


@click.command(help="Start the service; on SIGTERM or Ctrl-C, it finishes the requests in work and stops.")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="TCP port; 0 lets the system choose.  [default: 8000]")
@click.option("--workers", type=int, help="Server processes.  [default: 1]")
def command(host: str | None, port: int | None, workers: int | None) -> int:
    """Start the service."""
    settings = read_settings(host=host, port=port, workers=workers)
    read_store(settings)  # before worker processes start, which would all fail with a broken store

    from app.server.workers import serve  # here, so that a wrong setting is reported before FastAPI is imported

    return serve(settings)
