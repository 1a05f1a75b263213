"""What ``import nbrealtime as rt`` offers as functions: connections, topics and sensors without saying which.

``subscribe``, ``publish`` and ``topics`` use the default connection (``nbrealtime.live.connection.default_connection``): this
kernel's own server; else the connection that was opened last; else what ``connect()`` finds.

The rule here: *nothing waits for the network* but ``topics``, which asks, and ``publish``, when there is too much in
line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

import msgspec

from nbrealtime import discovery
from nbrealtime.live.connection import (
    QUEUE_BYTES,
    Connection,
    OnFull,
    connections,
    default_connection,
    open_connection,
)
from nbrealtime.live.sensors import Sensor, close_sensors, open_sensor, sensors
from nbrealtime.live.topic import LiveTopic, TopicOptions

if TYPE_CHECKING:
    from nbrealtime.client import Receipt
    from nbrealtime.client.publishoptions import PublishOptions
    from nbrealtime.client.target import Token

__all__ = ["Overview", "close_all", "connect", "publish", "sensor", "status", "subscribe", "topics"]


def connect(
    url: str | None = None,
    token: Token = None,
    *,
    name: str | None = None,
    queue_bytes: int = QUEUE_BYTES,
    on_full: OnFull = "error",
) -> Connection:
    """Return a connection to a server; it is made in the background, and made again whenever it is lost.

    Without ``url`` (``"ws://host:port"``): this kernel's server, else ``NBREALTIME_URL`` and ``NBREALTIME_TOKEN``, else the
    only server that runs here. ``token`` may be a function that fetches one: it is called before every attempt, and
    again shortly before the token expires, so that the connection goes on. ``name`` is what reports call it.
    Connections to the same address with the same token share a socket. Close it with ``close()``.

    ``queue_bytes`` bounds the acknowledged publishes that wait while there is no connection, and ``on_full`` is what happens
    to one more: ``"error"`` raises ``PublishTimeout``, ``"block"`` does so after waiting 5 s for room, ``"drop_oldest"`` gives the
    oldest up (its receipt says so).

    Raises ``NoServer``, ``AmbiguousServer``, and ``ValueError`` for what is no address. Trouble with the network is not
    raised: it shows in ``state`` and ``error``, and once below the cell.
    """
    return open_connection(url, token, name=name, queue_bytes=queue_bytes, on_full=on_full)


def subscribe(topic: str, **options: Unpack[TopicOptions]) -> LiveTopic:
    """Return the ``LiveTopic`` of a name or pattern on the default connection; the same one as long as it is open.

    The options are those of ``LiveTopic``: ``since``, ``policy``, ``max_rate`` and ``on_gap`` for the stream, ``deliver`` and
    ``notify_hz`` for who is told, ``time_field``, ``time_unit`` and ``history`` for what is plotted.

    Raises ``InvalidTopic``, ``NoServer``, ``AmbiguousServer``; ``ValueError`` names an option that it has otherwise.
    """
    return default_connection().topic(topic, **options)


@overload
def publish(
    topic: str,
    data: Any,
    *,
    ack: Literal[True],
    **options: Unpack[PublishOptions],
) -> Receipt: ...
@overload
def publish(
    topic: str,
    data: Any,
    *,
    ack: Literal[False] = False,
    **options: Unpack[PublishOptions],
) -> None: ...
@overload
def publish(topic: str, data: Any, *, ack: bool, **options: Unpack[PublishOptions]) -> Receipt | None: ...
def publish(
    topic: str,
    data: Any,
    *,
    ack: bool = False,
    time: float | None = None,
    retain: bool = False,
    echo: bool = True,
    on_full: OnFull | None = None,
) -> Receipt | None:
    """Send ``data`` to everybody who is subscribed to ``topic``: any JSON value, bytes, or a numpy array.

    With ``ack`` it returns a ``Receipt``: ``.wait(timeout)`` or ``await`` it until the server has stored the message, once.
    ``time`` is when it was measured (s since the epoch; by default now), ``retain`` keeps it for who comes later with ``since="last"``,
    ``echo=False`` spares this connection its own message.

    See ``Connection.publish`` for more, and for when it waits. Raises ``InvalidTopic``, ``MessageTooLarge``,
    ``PublishTimeout``, ``NoServer``, ``AmbiguousServer``; ``TypeError`` and ``ValueError`` for what JSON cannot carry.
    """
    return default_connection().publish(
        topic, data, ack=ack, time=time, retain=retain, echo=echo, on_full=on_full
    )


def topics() -> dict[str, int]:
    """Ask the default connection's server which topics there are, and how many connections subscribe to each.

    They are those that have subscribers or a history, as far as this connection may subscribe to them. Raises ``ConnectionFailed``, ``NoServer``, ``AmbiguousServer``.
    """
    return default_connection().fetch_topics()


def sensor(name: str = "host", *, hz: float = 20.0) -> Sensor:
    """Publish measurements of this machine on ``host:cpu``, ``host:memory``, ``host:network`` and ``host:disk``.

    A child process (``nbrealtime sensor host``) feeds the default connection's server with ``hz`` samples per second, until
    ``close()`` or until this process ends. Where one feeds that server already, whoever started it, nothing happens.
    """
    return open_sensor(name, hz=hz)


class Overview(msgspec.Struct, frozen=True):
    """What is open in this process."""

    server: str | None
    connections: tuple[Connection, ...]
    topics: tuple[LiveTopic, ...]
    sensors: tuple[Sensor, ...]

    def __repr__(self) -> str:
        lines = [
            f"Server running at {self.server} (this kernel)" if self.server else "No server in this process"
        ]
        lines += map(repr, (*self.connections, *self.topics, *self.sensors))
        return "\n".join(lines)


def status() -> Overview:
    """Return what is open in this process: its server, connections, topics and sensors. Asks nobody."""
    own = discovery.local()
    opened = connections()
    return Overview(
        server=None if own is None else own.url.removesuffix("/ws"),
        connections=opened,
        topics=tuple(topic for connection in opened for topic in connection.topics),
        sensors=sensors(),
    )


def close_all() -> None:
    """Close every sensor, topic and connection of this process. A server goes on: others may use it."""
    close_sensors()
    for connection in connections():
        connection.close()
