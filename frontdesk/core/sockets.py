"""The listening socket."""

import errno
import socket

from frontdesk.core.halt import Halt

BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """A TCP socket that accepts connections from now on; port 0 takes any. Raises Halt when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise Halt(f"Port {port} is taken by another program: set FRONTDESK_PORT to a free one.") from error
        raise Halt(f"Port {port} of {host} cannot be used ({error.strerror}): see FRONTDESK_HOST and _PORT.") from error
    except OverflowError as error:
        raise Halt(f"{port} is not a port: set FRONTDESK_PORT to a number up to 65535.") from error
    return listener
