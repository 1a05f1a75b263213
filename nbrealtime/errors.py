"""Every exception that nbrealtime raises, in one tree.

The network's faults are ours and stand here; a caller's mistake is the
``TypeError``, ``ValueError`` or ``TraitError`` that Python has for it. An error
carries its data as attributes, composes its message from them, and ends by
telling what to do next::

    RealtimeError
    ├── WireError (ValueError)
    │   ├── DecodeError              bytes that are no message
    │   └── InvalidTopic             a name or a pattern that cannot be one
    ├── DiscoveryError
    │   ├── NoServer                 nothing runs here that we could use
    │   ├── AmbiguousServer          several run here: say which
    │   └── UntrustedServer          an address that cannot prove it wrote its entry
    ├── ServerError
    │   ├── AddressInUse             the port is taken
    │   ├── InvalidToken             a token that this server does not accept
    │   │   └── UnknownKey           signed with a key that is not in the key set yet
    │   └── StoreError               a history that cannot be opened
    ├── ConnectionFailed             the server could not be reached, or refused
    ├── ConnectionClosed             used after close()
    ├── Refused                      the server refused a topic
    ├── PublishError
    │   ├── PublishTimeout (TimeoutError)   back-pressure, or an acknowledgement, lasted too long
    │   ├── PublishUncertain         it may have arrived, or not; nobody can tell any more
    │   └── MessageTooLarge (ValueError)    over the server's limit
    └── FrontEndMissing              a widget's bundle was not built

The one rule: nothing here may hold a token or a secret, since a notebook saves
its tracebacks.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "AddressInUse",
    "AmbiguousServer",
    "ConnectionClosed",
    "ConnectionFailed",
    "DecodeError",
    "DiscoveryError",
    "FrontEndMissing",
    "InvalidToken",
    "InvalidTopic",
    "MessageTooLarge",
    "NoServer",
    "PublishError",
    "PublishTimeout",
    "PublishUncertain",
    "RealtimeError",
    "Refused",
    "ServerError",
    "StoreError",
    "UnknownKey",
    "UntrustedServer",
    "WireError",
]


class RealtimeError(Exception):
    """The root of every error that nbrealtime raises."""


class WireError(RealtimeError, ValueError):
    """Something that cannot travel: it breaks the wire protocol's rules."""


class DecodeError(WireError):
    """A frame that is no message of the protocol.

    ``reason`` is a sentence for the sender, ``code`` the protocol's error code; ``id`` and ``topic``
    are the request's, as far as they could be read.
    """

    def __init__(
        self,
        reason: str,
        code: str = "bad_request",
        *,
        id: int | None = None,  # noqa: A002 - the protocol's word
        topic: str | None = None,
    ) -> None:
        self.reason = reason
        self.id = id
        self.topic = topic
        self.code = code
        super().__init__(reason)


class InvalidTopic(WireError):
    """A topic name or pattern that the protocol does not allow."""

    def __init__(self, topic: object, reason: str) -> None:
        self.topic = topic
        self.reason = reason
        shown = repr(topic)
        if len(shown) > 80:
            shown = f"{shown[:77]}…{shown[0]}"
        super().__init__(f"{shown} is no topic: {reason}")


class DiscoveryError(RealtimeError):
    """No server could be found without being told where it is."""


class NoServer(DiscoveryError):
    """Nothing runs here that this process could connect to."""

    def __init__(self) -> None:
        super().__init__(
            "no server runs here. Start one with %rtserver in a notebook or `nbrealtime serve` in a "
            "terminal, or say where it is: rt.connect(url, token=…), --url and --token, or NBREALTIME_URL and "
            "NBREALTIME_TOKEN"
        )


class AmbiguousServer(DiscoveryError):
    """Several servers run here; ``servers`` are their addresses, ``places`` where each was started."""

    def __init__(self, servers: Sequence[str], places: Sequence[str] = ()) -> None:
        self.servers = tuple(servers)
        self.places = tuple(places) or ("",) * len(self.servers)
        width = max(map(len, self.servers), default=0)
        listed = "".join(
            f"\n  {f'{server.ljust(width)}  {place}'.rstrip()}"
            for server, place in zip(self.servers, self.places, strict=True)
        )
        first = self.servers[0] if self.servers else "ws://…"
        super().__init__(
            f"{len(self.servers)} servers run here:{listed}\n"
            f'Say which: rt.connect("{first}"), --url {first}, or NBREALTIME_URL={first}'
        )


class UntrustedServer(DiscoveryError):
    """Whoever answers at ``url`` did not write the entry that names it; no token was sent."""

    def __init__(self, url: str) -> None:
        self.url = url
        super().__init__(
            f"whoever answers at {url} could not prove that the runtime directory's entry is theirs, so no "
            "token was sent. If the server was stopped, start it again: %rtserver or `nbrealtime serve`"
        )


class ServerError(RealtimeError):
    """A server could not be started, or does not accept what it was given."""


class AddressInUse(ServerError):
    """Another program listens on ``host``:``port``."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        super().__init__(
            f"port {port} on {host} is in use by another program. Choose another one, or none for a free one"
        )


class InvalidToken(ServerError):
    """A token that does not open this server; ``reason`` says why, never what it was.

    ``code`` is the protocol's: ``unauthorized``, ``token_expired``, or ``unavailable`` if the keys that
    would verify it cannot be had now.
    """

    def __init__(self, reason: str, code: str = "unauthorized") -> None:
        self.reason = reason
        self.code = code
        super().__init__(reason)


class UnknownKey(InvalidToken):
    """A token that names a key which is not known: the key set's address may have it by now."""


class StoreError(ServerError):
    """The history at ``path`` cannot be used; it was not changed.

    ``reason`` is what is wrong with it, ``advice`` what to do.
    """

    def __init__(self, path: str, reason: str, advice: str) -> None:
        self.path = path
        self.reason = reason
        self.advice = advice
        super().__init__(f"{path} {reason}. {advice}")


class ConnectionFailed(RealtimeError):
    """The server at ``url`` could not be reached, or refused the connection."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        self.reason = reason
        super().__init__(f"no connection to {url}: {reason}")


class ConnectionClosed(RealtimeError):
    """The connection to ``url`` was closed, and something was asked of it afterwards."""

    def __init__(self, url: str) -> None:
        self.url = url
        super().__init__(f"the connection to {url} is closed. Open another one with rt.connect()")


class Refused(RealtimeError):
    """The server refused something on ``topic``: ``reason`` is its sentence, ``code`` its error code."""

    def __init__(self, topic: str, code: str, reason: str) -> None:
        self.topic = topic
        self.code = code
        self.reason = reason
        super().__init__(f"{topic}: {reason}")


class PublishError(RealtimeError):
    """A message was not published."""


class PublishTimeout(PublishError, TimeoutError):
    """Too much waited to be sent for too long, or an acknowledgement did.

    ``seconds`` is how long the call waited. ``pending_bytes`` is what stood before a message that was
    not queued; None where a receipt was waited for, whose message is still on its way.
    """

    def __init__(self, topic: str, seconds: float, pending_bytes: int | None = None) -> None:
        self.topic = topic
        self.seconds = seconds
        self.pending_bytes = pending_bytes
        if pending_bytes is None:
            text = (
                f"no answer within {seconds:g} s. It is still on its way: wait again, or look at rt.status()"
            )
        else:
            text = (
                f"not published, since {pending_bytes / 2**20:.1f} MiB were still waiting to be sent after "
                f"{seconds:g} s. The server is slow or out of reach: publish less, or look at rt.status()"
            )
        super().__init__(f"{topic}: {text}")


class PublishUncertain(PublishError):
    """A message was sent, its acknowledgement was lost, and the server can no longer tell a repeat.

    It may have arrived or not, and was not sent again, since it could then arrive twice. ``key`` is the
    one that it had, ``reason`` why a repeat is not safe.
    """

    def __init__(self, topic: str, key: str | None, reason: str) -> None:
        self.topic = topic
        self.key = key
        self.reason = reason
        super().__init__(
            f"{topic}: a message may or may not have arrived, since {reason}. Publish it again if twice is "
            "better than never, or look for it in the topic's history"
        )


class MessageTooLarge(PublishError, ValueError):
    """A message of ``size`` bytes is over the ``limit``; it was not queued."""

    def __init__(self, size: int, limit: int) -> None:
        self.size = size
        self.limit = limit
        super().__init__(
            f"a message of {size:,} bytes is over the limit of {limit:,} bytes. Publish it in smaller parts"
        )


class FrontEndMissing(RealtimeError):
    """The bundle ``file`` is not there: the package was not installed, or a source was added since."""

    def __init__(self, file: str) -> None:
        self.file = file
        super().__init__(
            f"the front end {file} is not built. From the checkout run: pip install -e . "
            "(or, with Node at hand: cd js && npm ci && npm run build), then restart the kernel"
        )
