"""Takes the address to listen on, or says in a sentence why it cannot be had. Loads next to nothing."""

import errno
import os
import socket

BACKLOG = 2048  # calls that may wait while nobody serves; the kernel's own limit (somaxconn) may be lower


def listen(host: str, port: int) -> socket.socket:
    """Take the address, so that a port in use is told before anything else is begun.

    Args:
        host: an address or a name of this machine.
        port: 0 lets the system choose.

    Raises:
        OSError: its message is a sentence that names the setting to change.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as no:
        raise OSError(_told(host, port, no)) from no


def _told(host: str, port: int, no: OSError) -> str:
    """By the number alone: the words that come with it differ from system to system."""
    if no.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is in use by another program: stop it, or set XIAOGE_PORT."
    if no.errno == errno.EACCES:
        return (
            f"Port {port} is kept for the system: set XIAOGE_PORT to 1024 or more, and put a proxy in front."
        )
    why = no.strerror if isinstance(no, socket.gaierror) else os.strerror(no.errno or 0)
    return f"XIAOGE_HOST names {host}, where this machine cannot listen ({why})."
