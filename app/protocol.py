"""HTTP/1.1 as the service speaks it: what uvicorn's httptools protocol decides before any application is asked."""

import re

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.error_handlers import HEADERS_TOO_LARGE, STATUS_PROBLEM_TYPES, ProblemType, problem_response

MAX_HEADER_BYTES = 64 * 1024  # the parser is quadratic in the length of a header
HEADER_END = b"\r\n\r\n"
# Clients that prefer HTTP/2 offer it on clear-text connections; httptools then takes the body for another protocol,
# https://github.com/Kludex/uvicorn/issues/2722. RFC 9110, section 7.8: a server may ignore the offer.
UPGRADE = re.compile(rb"\r\nupgrade:[^\r]*", re.IGNORECASE)


class HttpProtocol(HttpToolsProtocol):
    """Ignores offers to upgrade, bounds the headers, and answers malformed requests as problems."""

    _unended_header_bytes = 0
    _is_in_body = False

    def on_headers_complete(self) -> None:
        """Note that a body follows."""
        super().on_headers_complete()
        self._is_in_body = True

    def on_message_complete(self) -> None:
        """Note that headers follow."""
        super().on_message_complete()
        self._is_in_body = False

    def data_received(self, data: bytes) -> None:
        """Take what has arrived on the connection."""
        if not self._is_in_body:
            head, end, rest = data.partition(HEADER_END)
            data = UPGRADE.sub(b"", head) + end + rest
            self._unended_header_bytes = 0 if end else self._unended_header_bytes + len(head)
            if max(self._unended_header_bytes, len(head)) > MAX_HEADER_BYTES:
                self._refuse(HEADERS_TOO_LARGE, f"A request's headers may have {MAX_HEADER_BYTES} bytes.")
                return
        super().data_received(data)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, and end the connection."""
        self._refuse(STATUS_PROBLEM_TYPES[400], msg)

    def _refuse(self, kind: ProblemType, detail: str) -> None:
        response = problem_response(kind, detail, headers={"Connection": "close"})
        lines = [f"HTTP/1.1 {kind.status} {kind.title}".encode()]
        lines += [name + b": " + value for name, value in response.raw_headers]
        self.transport.write(b"\r\n".join(lines) + HEADER_END + bytes(response.body))
        self.transport.close()
