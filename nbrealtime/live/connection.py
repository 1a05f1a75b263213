"""``Connection``: a server, as an object whose traits follow how it is reached.

It wraps a counted ``Link`` of ``nbrealtime.client``; several connections to the same address with the same token share
one socket. It keeps one ``LiveTopic`` per name. ``default_connection`` is the one that ``rt.subscribe``, ``rt.publish`` and
the widgets use when they are not told another.

The rule here: *nothing waits for the network*. What is wrong shows in the traits, and once below the cell that
connected.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack, overload

from nbrealtime import lifecycle, options
from nbrealtime.client import Link, LinkState, Status, open_link
from nbrealtime.client.publishoptions import QUEUE_BYTES, OnFull, PublishOptions, check_on_full
from nbrealtime.discovery import local
from nbrealtime.errors import ConnectionClosed
from nbrealtime.live.catalog import CATALOG, fetch_catalog
from nbrealtime.live.consumers.callbacks import Faults
from nbrealtime.live.delivery import Deliver
from nbrealtime.live.record import TopicState
from nbrealtime.live.show import mimebundle
from nbrealtime.live.stats import Neighbours, fetch_stats, read_topics
from nbrealtime.live.subject import NOTIFY_HZ, Fresh, Subject
from nbrealtime.live.topic import LiveTopic, TopicOptions
from nbrealtime.wire.encodings import encode_data
from nbrealtime.wire.times import parse_duration
from nbrealtime.wire.topics import check_pattern, check_topic

if TYPE_CHECKING:
    from nbrealtime.client import Receipt
    from nbrealtime.client.target import Token

__all__ = ["QUEUE_BYTES", "Connection", "OnFull", "connections", "default_connection", "open_connection"]

_LATEST = 2.0**48 / 1000  # what the protocol carries
_ADVICE = "connect() opens another connection"


def _fresh(read: Callable[[Status], Any], help: str) -> Any:  # noqa: A002 - traitlets' name
    return Fresh(lambda connection: read(connection.link.status), advice=_ADVICE, help=help)


class Connection(Subject):
    """A connection to a server; made by ``rt.connect``. Observers may be called beside the running cell.

    Close it with ``close()`` or by ``with``: its topics end with it, and the socket with the last connection that
    uses it.
    """

    state = _fresh(lambda s: s.state.value, "disconnected, connecting, connected, reconnecting or closed")
    url = _fresh(lambda s: s.url, "the server's address, without a token")
    user = _fresh(lambda s: s.user, "who we are to the server")
    latency = _fresh(lambda s: s.latency, "the newest round trip in seconds")
    attempts = _fresh(lambda s: s.attempts, "attempts in a row that failed")
    queued = _fresh(lambda s: s.queued, "publishes that wait to be sent")
    dropped = _fresh(lambda s: s.dropped, "publishes that were given up while offline")
    uncertain = _fresh(
        lambda s: s.uncertain, "acknowledged publishes of which nobody knows whether they arrived"
    )
    error = _fresh(lambda s: s.error, "why there is no connection, a sentence")
    errors = Fresh(
        lambda c: c.faults.newest, advice=_ADVICE, help="the newest 100 exceptions of its observers"
    )

    def __init__(
        self, link: Link, *, name: str | None = None, deliver: Deliver = "auto", notify_hz: float = NOTIFY_HZ
    ):
        self.link = link
        self.name = name
        super().__init__(deliver=deliver, notify_hz=notify_hz)
        self._topics: dict[str, LiveTopic] = {}
        self._options: dict[str, TopicOptions] = {}
        self._lock = threading.Lock()  # for the topics
        self._said: set[str] = set()
        self._to_say: deque[str] = deque()
        self._announcements = self._delivery.slot(self._announce, deliver)
        self.neighbours = Neighbours(lambda: link.target, self._carrying)
        link.listen(self._changed)
        link.on_report(self._report)
        with _lock:
            _open.append(self)

    @property
    def faults(self) -> Faults:
        """Where its observers' exceptions are kept."""
        return self._faults

    @property
    def topics(self) -> tuple[LiveTopic, ...]:
        """The topics that are open on it."""
        with self._lock:
            return tuple(self._topics.values())

    def topic(self, name: str, **options: Unpack[TopicOptions]) -> LiveTopic:
        """Return the ``LiveTopic`` of a name or pattern, subscribed; the same one as long as it is open.

        The options are those of ``LiveTopic``. Left out, one is its default, or for an open topic what that has.

        Raises ``InvalidTopic``, ``ConnectionClosed``; ``ValueError`` names an option that an open topic has otherwise.
        """
        name = check_pattern(name)
        with self._lock:
            known = self._topics.get(name)
            if known is not None and known.feed.newest.state is not TopicState.CLOSED:
                _check_same(name, options, self._options[name])
                if (on_gap := options.get("on_gap")) is not None:
                    known.on_gap(on_gap)
                return known
            if self.link.status.state is LinkState.CLOSED:
                raise ConnectionClosed(self.link.status.url)
            topic = LiveTopic(self, name, **options)
            topic.open()
            self._topics[name] = topic
            self._options[name] = options
            return topic

    @overload
    def publish(
        self,
        topic: str,
        data: Any,
        *,
        ack: Literal[True],
        **options: Unpack[PublishOptions],
    ) -> Receipt: ...
    @overload
    def publish(
        self,
        topic: str,
        data: Any,
        *,
        ack: Literal[False] = False,
        **options: Unpack[PublishOptions],
    ) -> None: ...
    @overload
    def publish(
        self, topic: str, data: Any, *, ack: bool, **options: Unpack[PublishOptions]
    ) -> Receipt | None: ...
    def publish(
        self,
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

        Returns when the message stands in line. Before the first connection and while connected it waits, at most
        5 s, when 8 MiB stand before it; after a lost connection the newest 100 messages are kept.

        With ``ack`` it returns a ``Receipt``: ``receipt.wait(timeout)`` or ``await receipt`` until the server has stored the
        message. Such a message is kept and repeated, through every reconnection, until the server has it once; when
        nobody can tell any more the receipt raises ``PublishUncertain``. What waits offline is bounded by bytes
        (``queue_bytes`` of ``connect``), and ``on_full`` says what happens beyond.

        ``time`` is when it was measured (s since the epoch), by default now: it is what is plotted, and ``message.time``. ``retain`` keeps it
        for who subscribes later with ``since="last"``; ``None`` as data then clears what was kept. ``echo=False`` spares this
        connection its own message.

        Raises ``InvalidTopic``, ``MessageTooLarge``, ``PublishTimeout``, ``ConnectionClosed``; ``TypeError`` and
        ``ValueError`` for what JSON cannot carry.
        """
        if on_full is not None:
            check_on_full(on_full)
        return self.link.publish(
            check_topic(topic),
            encode_data(data),
            ack=ack,
            time=None if time is None else _checked_time(time),
            retain=retain,
            echo=echo,
            on_full=on_full,
        )

    def wait_connected(self, timeout: str | float | None = None) -> bool:
        """Wait until connected; return False after ``timeout`` (seconds, or like ``"5s"``), or when it is closed.

        Can be interrupted. Raises ``TypeError`` and ``ValueError`` for what is no time.
        """
        if isinstance(timeout, str):
            timeout = parse_duration(timeout)
        elif timeout is not None:
            # What is left of a time that is over is less than nothing, and meant.
            timeout = options.number("timeout", timeout, 'seconds or a text like "5s"', -math.inf, math.inf)
        return self.link.wait_connected(timeout)

    def reconnect(self) -> None:
        """Try to connect now, instead of when the next attempt is due. Raises ``ConnectionClosed``."""
        self.link.reconnect()

    def close(self) -> None:
        """Close its topics and give the socket back; what was published is still sent. Harmless when repeated."""
        for topic in self.topics:
            topic.close()
        self.link.close()
        with _lock:
            if self in _open:
                _open.remove(self)
        self._wake()

    def forget(self, topic: LiveTopic) -> None:
        """Drop a topic that was closed; for ``LiveTopic.close``."""
        with self._lock:
            if self._topics.get(topic.feed.name) is topic:
                del self._topics[topic.feed.name]

    def fetch_topics(self) -> dict[str, int]:
        """Ask the server which topics there are, and how many subscribe to each. Raises ``ConnectionFailed``.

        They are those that have subscribers or a history, as far as they are granted.
        """
        with self._lock:
            listed = self._topics.get(CATALOG)
        if listed is not None and listed.feed.newest.message is not None:
            # Somebody follows the list already; the server would not repeat it for another one of us.
            return read_topics(listed.feed.newest.message.data)
        found = fetch_catalog(self.link)
        return fetch_stats(self.link.target).topics if found is None else found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        status = self.link.status
        text = f"Connection {status.url!r}: {status.state.value}"
        if status.state.value == "connected":
            text += f" as {status.user}" if status.user else ""
            text += "" if status.latency is None else f", {status.latency * 1000:.2g} ms"
        elif status.attempts:
            text += f", attempt {status.attempts}"
        if status.queued:
            text += f", {status.queued:,} queued"
        if status.dropped:
            text += f", {status.dropped:,} dropped"
        if status.uncertain:
            text += f", {status.uncertain:,} uncertain"
        return f"{text} ({status.error})" if status.error else text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return mimebundle(self, include, exclude)

    def __dir__(self) -> list[str]:
        return [
            *(name for name in vars(Connection) if not name.startswith("_")),
            "link",
            "observe",
            "unobserve",
        ]

    def _carrying(self) -> list[str]:
        return list(dict.fromkeys(name for topic in self.topics for name in topic.topics))

    # Called on the client thread.

    def _changed(self, status: Status) -> None:
        if status.error:
            here = self.name or status.url
            self._report(status.error if here in status.error else f"{here}: {status.error}")
        self._wake()

    def _report(self, sentence: str) -> None:
        # The same trouble comes back with every attempt; a cell that has long finished should not fill with it.
        if sentence not in self._said:
            self._said.add(sentence)
            self._to_say.append(sentence)
            self._delivery.wake(self._announcements)

    def _announce(self, until: float) -> float | None:
        while self._to_say:
            self._origin.say(self._to_say.popleft())
        return None


def _check_same(name: str, asked: TopicOptions, given: TopicOptions) -> None:
    has = {**(LiveTopic.__init__.__kwdefaults__ or {}), **given}
    for option, value in asked.items():
        if option not in has:
            raise TypeError(f"a topic has no option {option!r}, only {', '.join(has)}")
        if option != "on_gap" and has[option] != value:
            raise ValueError(
                f"{name} is open with {option}={has[option]!r}, not {value!r}: leave {option} out, or close it first"
            )


def _checked_time(seconds: float) -> float:
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError(f"time is in seconds since the epoch, like time.time(), not {seconds!r}")
    if not abs(seconds) < _LATEST:
        raise ValueError(f"time is in seconds since the epoch, like time.time(), not {seconds!r}")
    return seconds


_lock = threading.RLock()
_open: list[Connection] = []
_default: Connection | None = None


def open_connection(
    url: str | None = None,
    token: Token = None,
    *,
    name: str | None = None,
    queue_bytes: int = QUEUE_BYTES,
    on_full: OnFull = "error",
) -> Connection:
    """Return a new connection; see ``rt.connect``."""
    return Connection(
        open_link(url, token, name=name, queue_bytes=queue_bytes, on_full=check_on_full(on_full)), name=name
    )


def connections() -> tuple[Connection, ...]:
    """Every connection that is open in this process, oldest first."""
    with _lock:
        return tuple(_open)


def default_connection() -> Connection:
    """Return the connection for whoever does not say which; opens one if need be.

    It is this kernel's own server; else the connection that was opened last; else what ``rt.connect()`` finds.
    It stays the same one as long as it is open.
    """
    global _default
    known = _default
    # Asked for every publish: whoever closes it may do so a moment later as well.
    if known is not None and not known.link.is_closed:
        return known
    with _lock:
        usable = [known for known in _open if known.link.status.state is not LinkState.CLOSED]
        if _default not in usable:
            _default = usable[-1] if usable and local() is None else open_connection()
        return _default


def _forget() -> None:
    global _lock, _default
    _lock, _default = threading.RLock(), None
    _open.clear()


lifecycle.after_fork(_forget)
