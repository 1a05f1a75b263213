"""What a server listens with: a bound socket, and the certificate that encrypts.

The one rule: whatever stands against it is said when the server starts, with
the address or the files in the sentence.
"""

from __future__ import annotations

import errno
import socket
import ssl
from os import PathLike

from nbrealtime.errors import AddressInUse, ServerError

__all__ = ["bind", "tls_context"]


def bind(host: str, port: int) -> socket.socket:
    """Returns a socket that is bound; one of ours, so that a fork can close its copy.

    Raises:
        AddressInUse: the port is taken.
        ServerError: the host is none of this machine's.
    """
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as fault:
        raise ServerError(f"cannot listen on {host}: {fault.strerror}") from fault
    # "localhost" may mean both kinds of address; IPv4 is what every client tries.
    family, kind, protocol, _, address = min(found, key=lambda item: item[0] != socket.AF_INET)
    listener = socket.socket(family, kind, protocol)
    try:
        if hasattr(socket, "SO_REUSEADDR"):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)
        listener.bind(address)
    except OSError as fault:
        listener.close()
        if fault.errno == errno.EADDRINUSE:
            raise AddressInUse(host, port) from fault
        raise ServerError(f"cannot listen on {host}, port {port}: {fault.strerror}") from fault
    return listener


def tls_context(cert: str | PathLike[str], key: str | PathLike[str] | None) -> ssl.SSLContext:
    """Returns what encrypts.

    Raises:
        ServerError: the files cannot be read, or are no certificate and its key.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # Without a password: nobody is there to type it, and the library would ask the terminal.
        context.load_cert_chain(cert, key, password=lambda: b"")
    except (OSError, ValueError) as fault:
        named = str(cert) if key is None else f"{cert} and {key}"
        reason = (
            fault.strerror if isinstance(fault, OSError) and fault.strerror else "no certificate with its key"
        )
        raise ServerError(f"TLS cannot be had from {named}: {reason}") from fault
    return context
