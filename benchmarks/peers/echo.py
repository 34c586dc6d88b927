"""The least that a FastAPI service can do, which is to return the picture as it came: one half of the limit."""

from fastapi import FastAPI, Request, Response

from benchmarks.peers.pictures import read_upload


def create_app() -> FastAPI:
    """Create the app."""
    app = FastAPI()

    @app.post("/v1/denoise")
    async def echo(request: Request) -> Response:
        return Response(await read_upload(request), media_type="image/png")

    return app
