"""``health``: ask whether a service is ready, as people do now and then and containers every few seconds."""

import http.client
import urllib.request

import click

from app.commands.configuration import read_settings
from app.commands.examples import examples

TIMEOUT_S = 3.0


@click.command(
    help="Ask a running service whether it is ready; the exit code is 0 if it is, else 1.",
    epilog=examples("health", "health --port 8001"),
)
@click.option("--host", help="Address of the service.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="TCP port of the service.  [default: 8000]")
def command(host: str | None, port: int | None) -> int:
    """Ask a service."""
    settings = read_settings(host=host, port=port)
    url = f"{settings.local_url(settings.port)}/readyz"
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy cannot reach loopback
        with opener.open(url, timeout=TIMEOUT_S):
            click.echo(f"{url}: ready")
            return 0
    except (OSError, http.client.HTTPException) as error:
        click.echo(f"{url}: not ready: {error}", err=True)
        return 1
