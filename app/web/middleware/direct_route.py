"""Routes that FastAPI describes but does not run, since it takes longer over the arguments than the endpoint takes."""

from collections.abc import Sequence

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import DenoiserError
from app.web.requests.negotiation import accepted_media_type, picture_types
from app.web.requests.query import parse_query
from app.web.responses.problems import answer_denoiser_error


class DirectRoute(APIRoute):
    """Serves an endpoint that takes ``request``, ``query``, ``media_type`` and ``service``; see app.web.dependencies.

    FastAPI reads the endpoint's signature once, for /docs. For a request, the same functions are called by name. With
    the layers that Application omits, this takes a digit from 560 to 330 µs on the event loop, and a refusal from 250
    to 66; see docs/decisions/0009-direct-route.md.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self.methods and scope["method"] not in self.methods:
            await super().handle(scope, receive, send)
            return
        try:
            query = parse_query(scope["query_string"])
            response = await self.endpoint(
                request=Request(scope, receive),
                query=query,
                media_type=accepted_media_type(scope, picture_types(query.format)),
                service=scope["state"]["service"],
            )
        except DenoiserError as error:
            response = answer_denoiser_error(scope, error)
        await response(scope, receive, send)


class DirectRoutes:
    """Pure ASGI middleware: sends requests to their DirectRoute at once, and all others to the router and its layers.

    Args:
        app: the rest of the application.
        routes: all routes; only those of the class DirectRoute count.
    """

    def __init__(self, app: ASGIApp, *, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        direct = [route for route in routes if isinstance(route, DirectRoute)]
        self._routes = {(method, route.path): route for route in direct for method in route.methods or ()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        route = self._routes.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if route is None:
            await self._app(scope, receive, send)
        else:
            scope["route"] = route
            await route.handle(scope, receive, send)
