"""Keep the metrics on a port of their own, for networks where clients must not reach them."""

from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import ProblemNotFoundError
from app.web.access import METRICS_PATH
from app.web.responses.problems import answer_denoiser_error


class MetricsPort:
    """Pure ASGI middleware: on the port of the metrics there are only these, and on all others there are none.

    The port is that of the socket which the request came on; what its ``Host`` says does not matter.
    """

    def __init__(self, app: ASGIApp, *, port: int) -> None:
        self._app = app
        self._port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "http" and (scope["path"] == METRICS_PATH) != (scope["server"][1] == self._port):
            error = ProblemNotFoundError("The metrics have a port of their own, and it has nothing else.")
            await answer_denoiser_error(scope, error)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
