"""Which sockets are bound, and when that fails."""

import socket

import pytest

from app.server.listening import bind_sockets, close_sockets


def test_every_address_of_the_host_has_the_same_port() -> None:
    sockets = bind_sockets("localhost", 0)
    addresses = [bound.getsockname()[:2] for bound in sockets]
    close_sockets(sockets)
    assert ("127.0.0.1", addresses[0][1]) in addresses
    assert len({port for _, port in addresses}) == 1


def test_nothing_is_accepted_before_a_server_listens() -> None:
    (bound,) = bind_sockets("127.0.0.1", 0)
    with bound, pytest.raises(ConnectionRefusedError):
        socket.create_connection(bound.getsockname())


def test_a_port_is_free_as_soon_as_its_connections_are_closed() -> None:
    (bound,) = bind_sockets("127.0.0.1", 0)
    with bound:
        bound.listen()
        address = bound.getsockname()
        with socket.create_connection(address) as client:
            accepted, _ = bound.accept()
            accepted.close()  # first, so that the connection stays known at this end
            assert client.recv(1) == b""
    close_sockets(bind_sockets("127.0.0.1", address[1]))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_port_on_which_another_listens_is_refused(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(OSError, match="in use"):
        bind_sockets(host, other.getsockname()[1])


def test_an_unknown_host_is_refused() -> None:
    with pytest.raises(OSError, match="not known"):
        bind_sockets("no.such.host.invalid", 0)
