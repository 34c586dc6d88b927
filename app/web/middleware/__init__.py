"""Pure ASGI middleware around the routes."""
