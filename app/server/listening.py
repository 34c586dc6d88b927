"""The sockets that the service listens on, bound before anything is loaded."""

import socket


def bind_sockets(host: str, port: int) -> list[socket.socket]:
    """Bind every address of the host to the port (0: any); a server has to listen before clients can connect.

    Raises:
        OSError: the port is taken, or the address cannot be had.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    try:
        for family, _, _, _, address in found:
            port = sockets[0].getsockname()[1] if sockets else port  # the system has chosen one, perhaps
            sockets.append(_bind(family, (address[0], port, *address[2:])))
    except OSError:
        close_sockets(sockets)
        raise
    return sockets


def _bind(family: int, address: tuple[str | int, ...]) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # closed connections would block it for a minute
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # IPv4 has a socket of its own
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


def close_sockets(sockets: list[socket.socket]) -> None:
    """Close the sockets in this process."""
    for bound in sockets:
        bound.close()
