"""That the address in an entry still belongs to who wrote the entry: a question with a nonce, and its answer.

The server answers with `proof` at ``/health``; whoever read an entry asks with
`verify`, or `averify` on an event loop, before it sends the token.

The one rule: asking gives away neither the key nor the token, and whatever is not
the right answer is no proof.

Thread-safe: there is no state.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import socket
import ssl
import time
from typing import Final
from urllib.parse import urlsplit

import msgspec

from nbrealtime.discovery.entry import Entry

__all__ = ["averify", "proof", "verify"]

_ANSWER_BYTES: Final = 64 * 1024


def proof(key: str, nonce: str) -> str:
    """The HMAC-SHA256 of ``nonce`` under the entry key, in hex: what ``/health?nonce=`` answers."""
    return hmac.new(key.encode(), nonce.encode(), hashlib.sha256).hexdigest()


def verify(entry: Entry, timeout: float = 2.0) -> bool:
    """Whether the server at the entry's address wrote the entry; blocks for at most ``timeout`` seconds.

    An address that does not answer, or answers something else, is not verified.
    """
    question = _Question(entry)
    if question.address is None:
        return False
    deadline = time.monotonic() + timeout
    answer = bytearray()
    try:
        with _connect(question, timeout) as connection:
            connection.sendall(question.request)
            while len(answer) < _ANSWER_BYTES:
                # A deadline for the whole answer: a byte a second must not keep us.
                connection.settimeout(max(deadline - time.monotonic(), 0.001))
                chunk = connection.recv(4096)
                if not chunk:
                    break
                answer += chunk
    except (OSError, ValueError):  # a host's name that cannot be one is refused as a value
        return False
    return question.is_answered_by(bytes(answer))


async def averify(entry: Entry, timeout: float = 2.0) -> bool:  # noqa: ASYNC109 - paired with verify
    """`verify` for an event loop."""
    question = _Question(entry)
    if question.address is None:
        return False
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(
                *question.address, ssl=_unverified() if question.encrypted else None
            )
            try:
                writer.write(question.request)
                answer = bytearray()
                while len(answer) < _ANSWER_BYTES and (chunk := await reader.read(4096)):
                    answer += chunk
            finally:
                writer.transport.abort()
    except (OSError, ValueError):
        return False
    return question.is_answered_by(bytes(answer))


def _connect(question: _Question, timeout: float) -> socket.socket:
    """Connects to who is asked; the caller knows that there is an address."""
    connection = socket.create_connection(question.address or ("", 0), timeout=timeout)
    return _unverified().wrap_socket(connection) if question.encrypted else connection


def _unverified() -> ssl.SSLContext:
    """TLS without a look at the certificate: nothing secret is asked, and the proof is the answer's own.

    Whoever connects afterwards, with a token, looks.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class _Question:
    """One request to prove an entry, and how its answer is judged; no I/O.

    HTTP/1.0, so that the answer ends with the connection and is never chunked:
    the standard library's clients either block or honour proxies meant for
    other hosts.
    """

    def __init__(self, entry: Entry) -> None:
        self.address: tuple[str, int] | None = None
        self.request = b""
        self.encrypted = False
        self._expected = ""
        try:
            parts = urlsplit(entry.url)
            self.encrypted = parts.scheme in ("wss", "https")
            host, port = parts.hostname, parts.port or (443 if self.encrypted else 80)
        except ValueError:
            return
        if parts.scheme not in ("ws", "http", "wss", "https") or not host or not entry.url.isascii():
            return
        nonce = secrets.token_hex(16)
        prefix = parts.path.removesuffix("/").removesuffix("/ws")
        self.address = (host, port)
        self.request = (
            f"GET {prefix}/health?nonce={nonce} HTTP/1.0\r\nHost: {parts.netloc.rpartition('@')[2]}\r\n\r\n"
        ).encode()
        self._expected = proof(entry.key, nonce)

    def is_answered_by(self, response: bytes) -> bool:
        head, _, body = response.partition(b"\r\n\r\n")
        status = head.split(b"\r\n", 1)[0].split(b" ")
        if len(status) < 2 or status[1] != b"200":
            return False
        try:
            answer = msgspec.json.decode(body, type=_Answer)
        except (msgspec.MsgspecError, ValueError):
            return False
        return hmac.compare_digest(answer.proof.encode(), self._expected.encode())


class _Answer(msgspec.Struct):
    proof: str
