"""The socket on which the service listens, opened once and shared by every worker."""

import socket

from data_contracts.errors import ContractError

BACKLOG = 2048
"""Connections that may wait to be accepted."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. ContractError: the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        message = f"cannot listen on {host}:{port}: {error}; take another port, or 0 for a free one"
        raise ContractError(message, field="port") from error
    listening.setblocking(False)  # noqa: FBT003  # the standard library's own signature
    return listening


def address_of(listening: socket.socket) -> str:
    """The address that callers use."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
