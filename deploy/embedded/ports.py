"""Free TCP ports on the loopback address."""

import errno
import secrets
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
LOWEST = 20_000
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """A port that nobody listens on now, below those that the kernel gives to outgoing connections.

    A server that is restarted on its port must find it free: with an ephemeral one, a client that keeps trying to
    reconnect can be given that very port as its own source port, and connect to itself.
    """
    for _ in range(200):
        port = LOWEST + secrets.randbelow(_first_ephemeral() - LOWEST)
        if is_free(port):
            return port
    raise OSError(errno.EADDRINUSE, "Expected a free port, got 200 that are taken.")


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` of the loopback address now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def _first_ephemeral() -> int:
    try:
        first = int(EPHEMERAL.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        first = 32_768
    return first if first > LOWEST + 1_000 else 65_535
