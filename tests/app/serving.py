"""Applications and servers in this process: with a fake network, and with given responses."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient

MakeClient = Callable[..., TestClient]  # what the fixture make_client is


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve an application on a free port, and yield its address."""
    config = uvicorn.Config(app, port=0, log_config=None)
    server = uvicorn.Server(config)
    with config.bind_socket() as listening:
        listening.listen()  # so that clients wait for the start instead of being refused
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


Response = tuple[int, dict[str, str], bytes]


@contextmanager
def answering(respond: Callable[[str, bytes], Response | None]) -> Iterator[str]:
    """Answer requests with what ``respond`` returns for their path and body; None closes the connection."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # http.server's name
            given = respond(self.path, self.rfile.read(int(self.headers.get("content-length", "0"))))
            if given is None:
                self.close_connection = True
                return
            status, headers, body = given
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815  # likewise

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
