"""A port that a server can take, and take again."""

import socket
from pathlib import Path

from lotstream.deploy.embedded.ports import EPHEMERAL, LOOPBACK, LOWEST, free_port, is_free


def test_port_is_below_the_ephemeral_ones() -> None:
    """No client's outgoing connection can be given a port that was chosen for a server."""
    first = int(Path(EPHEMERAL).read_text(encoding="ascii").split()[0])
    assert all(LOWEST <= free_port() < first for _ in range(50))


def test_port_in_use_is_not_free() -> None:
    """A port with a listener is not free, and is again when the listener is gone."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert not is_free(port)
    assert is_free(port)
