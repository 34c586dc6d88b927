"""FastAPI as the service uses it: what it overrides, and why."""

from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from app.web.openapi import describe_api


class Application(FastAPI):
    """FastAPI with fewer layers, and with a description of what it cannot derive from the code.

    Args:
        requires_keys: whether the description says that requests need a key.
        given: FastAPI's own arguments.
    """

    def __init__(self, *, requires_keys: bool, **given: Any) -> None:  # noqa: ANN401  # FastAPI's
        super().__init__(**given)
        self._requires_keys = requires_keys

    def build_middleware_stack(self) -> ASGIApp:
        """Build the stack without the layers that FastAPI puts around our middleware, which does their work.

        They answer uncaught exceptions, export traces and limit bodies, which is a fifth of the cost of a refusal.
        FastAPI has no setting that omits them.
        """
        ours: object = self.user_middleware[0].cls
        stack = super().build_middleware_stack()
        while type(stack) is not ours:
            stack = stack.app  # type: ignore[attr-defined]  # Starlette's layers all have it
        return stack

    def openapi(self) -> dict[str, Any]:
        """Describe the API once; FastAPI documents this way to extend it."""
        if self.openapi_schema is None:
            self.openapi_schema = describe_api(self, requires_keys=self._requires_keys)
        return self.openapi_schema
