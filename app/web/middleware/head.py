"""Support HEAD wherever there is GET, for load balancers and ``curl -I``; FastAPI's routes do not."""

from starlette.types import ASGIApp, Receive, Scope, Send


class HeadAsGet:
    """Pure ASGI middleware: answers HEAD like the GET of its path.

    The server, which still sees the HEAD, omits the body (RFC 9110, section 9.3.2).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            as_get = {**scope, "method": "GET"}
            await self._app(as_get, receive, send)
            scope["route"] = as_get.get("route")  # for the metrics
        else:
            await self._app(scope, receive, send)
