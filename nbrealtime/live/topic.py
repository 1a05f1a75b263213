"""``LiveTopic``: one topic as an object whose traits follow what arrives.

The stream itself lives in ``topic.feed`` (``nbrealtime.live.feed``), which the client thread fills; this is the face in
front of it. Reading a trait reads the feed's newest record, on any thread; notifications and ``on_message``
callbacks run where ``nbrealtime.live.delivery`` says. What it shares with one topic of a pattern is in
``nbrealtime.live.face``; ``handout`` calls back, ``waiting`` and ``iterate`` wait, ``lookout`` says what is wrong.

The rule here: *a topic is made by its connection* (``Connection.topic``, ``rt.subscribe``), which keeps one per name;
constructing one connects nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self, TypedDict, TypeVar, get_args

from nbrealtime.live.consumers.callbacks import Faults
from nbrealtime.live.consumers.handout import Handout
from nbrealtime.live.consumers.iterate import MessageIterator, ended
from nbrealtime.live.consumers.waiting import Waiting
from nbrealtime.live.consumers.widgetlink import WidgetLink
from nbrealtime.live.delivery import Deliver, Delivery
from nbrealtime.live.face import TopicFace
from nbrealtime.live.feed import Feed
from nbrealtime.live.gap import Gap
from nbrealtime.live.history import HistoryLike, room_for
from nbrealtime.live.lookout import Lookout
from nbrealtime.live.patternfeed import PatternFeed
from nbrealtime.live.record import Record
from nbrealtime.live.samples.payload import TimeUnit
from nbrealtime.live.show import mimebundle, shown
from nbrealtime.live.since import SinceLike, begin
from nbrealtime.live.subject import NOTIFY_HZ, Fresh, Subject
from nbrealtime.live.topicview import TopicView
from nbrealtime.options import LEAST, MOST, number, text
from nbrealtime.wire.times import format_age
from nbrealtime.wire.topics import is_pattern
from nbrealtime.wire.v2 import Policy, Position

if TYPE_CHECKING:
    from nbrealtime.client import Message, Subscription
    from nbrealtime.live.connection import Connection

__all__ = ["LiveTopic", "TopicOptions"]

F = TypeVar("F", bound=Callable[..., Any])

_ADVICE = "publish() sends a new value to everybody, this topic included"


class TopicOptions(TypedDict, total=False):
    """The options of a ``LiveTopic``."""

    deliver: Deliver
    notify_hz: float
    time_field: str | None
    time_unit: TimeUnit
    history: HistoryLike
    since: SinceLike
    policy: Policy
    max_rate: float | None
    on_gap: Callable[[Gap], Any] | None


def _fresh(read: Callable[[LiveTopic, Record], Any], help: str) -> Any:  # noqa: A002 - traitlets' name
    return Fresh(lambda topic: read(topic, topic.feed.record), advice=_ADVICE, help=help)


class LiveTopic(Subject, TopicFace):
    """What arrives on a topic, or on a pattern's. Its callbacks may run beside the running cell (``deliver="auto"``).

    Made by ``rt.subscribe`` or ``Connection.topic``. ``deliver`` says where callbacks and notifications run: ``"auto"`` on
    the kernel's loop, and on a thread of ours while a cell keeps that busy; ``"main"`` never beside a cell;
    ``"thread"`` never on the loop. ``notify_hz`` bounds how often ``observe`` and ``link`` are told (per second);
    ``on_message`` is called for every message. ``time_field`` and ``time_unit`` say how objects carry
    their times.

    ``history`` says how many numeric samples are kept as they came (an int), or in how many bytes (``"256MiB"``), a million in at
    most 64 MiB by default. Older ones stay as minima, maxima and means, coarser and coarser, for plots of hours and days; ``to_numpy``
    has the samples only.

    ``since`` says where the stream begins: with the next message (None), with the retained value (``"last"``), with the
    newest ``n`` messages of the history (an int), or after a position (``topic.position`` of an earlier time, a message).
    After a lost connection it goes on exactly where it was, whatever ``since`` said; what cannot be had any more is
    counted in ``gaps`` and told to ``on_gap``. ``policy`` is what the server does when this reader is too slow:
    ``"disconnect"`` (and recover from the history), ``"drop_oldest"`` (counted in ``gaps``) or ``"conflate"`` (only the newest
    of each topic). ``max_rate`` bounds the messages per second; what is over waits, or with ``"conflate"`` is left out.

    A pattern's topics (``lab:*``) are told apart by ``message.topic``; ``topics`` names those that came, ``by_topic(name)`` is
    one of them, and a plot draws each as a line of its own.

    Close it with ``close()`` or by ``with``; it ends with its connection.
    """

    feed: Feed

    name = _fresh(lambda topic, _: topic.feed.name, "the topic's name or pattern")
    state = _fresh(lambda _, r: r.state.value, "subscribing, live, offline, refused or closed")
    value = _fresh(lambda _, r: None if r.message is None else r.message.data, "the newest message's payload")
    message = _fresh(lambda _, r: r.message, "the newest message, a nbrealtime.Message")
    timestamp = _fresh(
        lambda _, r: None if r.message is None else r.message.timestamp, "its time, s since the epoch"
    )
    offset = _fresh(
        lambda _, r: None if r.position is None else r.position.offset,
        "the newest message's place in the topic's history",
    )
    count = _fresh(lambda _, r: r.count, "how many messages have come")
    rate = _fresh(lambda topic, _: topic.feed.rate(), "messages per second, over the last few")
    presence_count = _fresh(
        lambda _, r: r.presence_count, "how many connections are subscribed, as the server says"
    )
    members = _fresh(lambda _, __: None, "who is subscribed; None where the server does not tell")
    gaps = _fresh(lambda _, r: r.gaps, "holes in the stream: messages that could not be recovered")
    dropped = _fresh(
        lambda topic, _: topic.feed.dropped, "messages and samples that came but could not be kept"
    )
    paused = _fresh(lambda topic, _: topic.feed.paused, "whether pause() holds it")
    error = _fresh(lambda _, r: r.error, "why the server last refused something, a sentence")
    errors = _fresh(lambda topic, _: topic.faults.newest, "the newest 100 exceptions of its callbacks")

    def __init__(
        self,
        connection: Connection,
        name: str,
        *,
        deliver: Deliver = "auto",
        notify_hz: float = NOTIFY_HZ,
        time_field: str | None = "t",
        time_unit: TimeUnit = "s",
        history: HistoryLike = None,
        since: SinceLike = None,
        policy: Policy = "disconnect",
        max_rate: float | None = None,
        on_gap: Callable[[Gap], Any] | None = None,
    ) -> None:
        if policy not in get_args(Policy):
            raise ValueError(f"policy is one of {', '.join(get_args(Policy))}, not {policy!r}")
        if max_rate is not None:
            number("max_rate", max_rate, "a number of messages per second, or None", LEAST, MOST)
        if time_field is not None:
            text("time_field", time_field)
        self._since = begin(name, since)
        self._policy = policy
        self._max_rate = max_rate
        kind = PatternFeed if is_pattern(name) else Feed
        room = room_for(history)
        self.feed = kind(
            name, time_field=time_field, time_unit=time_unit, samples=room.samples, max_bytes=room.max_bytes
        )
        super().__init__(deliver=deliver, notify_hz=notify_hz)
        self._connection = connection
        self._subscription: Subscription | None = None
        self._handout = Handout(self._faults)
        self._lookout = Lookout(self.feed, self._delivery, self._origin, connection.neighbours)
        self._waiting = Waiting(self.feed, self._lookout.describe)
        self.feed.tap(self._arrived)
        self.feed.tap_gaps(self._missed)
        if on_gap is not None:
            self.on_gap(on_gap)

    # What it is.

    @property
    def connection(self) -> Connection:
        """The connection that it arrives on."""
        return self._connection

    @property
    def owner(self) -> LiveTopic:
        return self

    @property
    def faults(self) -> Faults:
        """Where its callbacks' exceptions are kept; for what else runs a user's code in its name."""
        return self._faults

    @property
    def delivery(self) -> Delivery:
        """What runs its callbacks."""
        return self._delivery

    @property
    def position(self) -> Position | dict[str, Position] | None:
        """The place of the newest message in the topic's history, for a later ``since=``; None without a history.

        Of a pattern, the places by topic.
        """
        if isinstance(self.feed, PatternFeed):
            strands = ((strand.name, strand.record.position) for strand in self.feed.strands)
            return {name: position for name, position in strands if position is not None}
        return self.feed.record.position

    @property
    def topics(self) -> tuple[str, ...]:
        """The names of the topics that messages have come on, in the order of appearance."""
        return tuple(strand.name for strand in self.feed.strands if strand.newest.count)

    def by_topic(self, name: str) -> TopicView:
        """Return one topic of a pattern, to read, plot or export by itself; it need not have come yet.

        Raises ``ValueError`` if the pattern does not match it.
        """
        text("name", name)
        if isinstance(self.feed, PatternFeed):
            return TopicView(self, self.feed.strand(name))
        if name != self.feed.name:
            raise ValueError(f"{self.feed.name} is no pattern: it has no topic {name!r}")
        return TopicView(self, self.feed)

    # Being told.

    def on_message(self, callback: F) -> F:
        """Call ``callback(message)`` for every message, possibly beside the running cell; return ``callback``.

        In order, never twice at a time. Usable as a decorator. Its output appears below the cell that registered
        it, its exceptions go to ``errors``, and it goes when that cell starts again. While it is slow or the topic is
        paused, up to 10,000 messages or 16 MiB wait; beyond, the oldest are dropped and counted in ``dropped``.

        It goes on when the page is reloaded, but what it prints from then on is not shown: JupyterLab passes over
        output for a cell that it has not itself started. ``log()`` shows messages after a reload too, and so does
        ``append_stdout`` of an ``ipywidgets.Output`` what a callback has to say (``with output:`` does not).
        """
        if not callable(callback):
            raise TypeError(f"on_message takes a function of one argument, the message, not {callback!r}")
        self._handout.add(callback)
        return callback

    def off_message(self, callback: Callable[..., Any]) -> None:
        """Stop calling ``callback``, from the next message on; harmless if it is not registered."""
        self._handout.remove(callback)

    def on_gap(self, callback: F) -> F:
        """Call ``callback(gap)`` for every hole in the stream, between the messages where it is; return ``callback``.

        As ``on_message``: also a decorator, where and when that says. See ``Gap`` for what it is told.
        """
        if not callable(callback):
            raise TypeError(f"on_gap takes a function of one argument, the gap, not {callback!r}")
        self._handout.add_for_gaps(callback)
        return callback

    def off_gap(self, callback: Callable[..., Any]) -> None:
        """Stop calling ``callback``; harmless if it is not registered."""
        self._handout.remove_for_gaps(callback)

    def link(
        self, widget: Any, trait: str = "value", transform: Callable[[Any], Any] | None = None
    ) -> WidgetLink:
        """Keep ``widget.trait`` at this topic's value, or at ``transform(value)``; the safe way to drive an ipywidget.

        Goes on while a cell runs. Returns the link, to ``close``.
        """
        return WidgetLink(self, widget, trait, transform)

    # Waiting.

    def wait(self, n: int = 1, timeout: str | float | None = None) -> Message:
        """Wait until ``n`` messages have come that no earlier ``wait`` has counted; return the newest message.

        Messages that came before the call count too, so that nothing is missed between ``publish`` and ``wait``. Can be
        interrupted. ``timeout`` is in seconds, or like ``"5s"``.

        Raises ``TimeoutError``, which says how many came; ``Refused`` if the server refuses the topic.
        """
        return self._waiting.wait(n, timeout)

    def __aiter__(self) -> MessageIterator:
        """Return an iterator over every message from now on; see ``MessageIterator``."""
        return MessageIterator(self.feed)

    async def next(self) -> Message:
        """Return the next message that comes. To get every one, use ``async for``."""
        try:
            return await anext(MessageIterator(self.feed))
        except StopAsyncIteration:
            raise ended(self.name, self.feed.newest) from None

    # Doing.

    def pause(self) -> None:
        """Let the traits stand still and hold callbacks back; the ring, iterators and ``wait`` go on."""
        self.feed.pause()

    def resume(self) -> None:
        """Let the traits follow again, and hand the messages that came meanwhile to the callbacks."""
        self.feed.resume()

    def clear(self) -> None:
        """Forget the samples, and the messages that a log would begin with.

        What is known about the stream (``value``, ``count``) stays.
        """
        self.feed.clear()

    def close(self) -> None:
        """Unsubscribe, and end iterators and waiting; the samples stay readable. Harmless when repeated."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            subscription.close()
        self.feed.closed()
        self._handout.clear()
        self._connection.forget(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Showing.

    def __repr__(self) -> str:
        record = self.feed.record
        text = f"LiveTopic {self.name!r}: {self._lookout.describe(record)}"
        if record.message is None:
            return text
        age = self.feed.age
        ago = "" if age is None else f" ({format_age(age)})"
        plural = "" if record.count == 1 else "s"
        return f"{text}, {record.count:,} message{plural}, last {shown(record.message.data)}{ago}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return mimebundle(self, include, exclude)

    def __dir__(self) -> list[str]:
        # What HasTraits brings (add_traits, class_own_trait_events, …) works, and would bury what is ours.
        return [
            *(name for name in (*vars(LiveTopic), *vars(TopicFace)) if not name.startswith("_")),
            "feed",
            "observe",
            "unobserve",
        ]

    # The stream.

    def open(self) -> None:
        """Subscribe; for its connection."""
        self._subscription = self._connection.link.subscribe(
            self.feed.name, self.feed, since=self._since, policy=self._policy, max_rate=self._max_rate
        )
        self._lookout.begin()

    def _arrived(self, messages: Sequence[Message]) -> None:
        """Called on the client thread with what came, and when anything changed."""
        if messages and (dropped := self._handout.put(messages)):
            self.feed.count_dropped(dropped)
        self._lookout.look(self.feed.newest)
        if self._handout.waiting and self._may_hand_out():
            self._delivery.wake(self._slot)
        else:
            self._wake()

    def _missed(self, gap: Gap) -> None:
        """Called on the client thread; ``_arrived`` follows."""
        if dropped := self._handout.put_gap(gap):
            self.feed.count_dropped(dropped)

    def _deliver(self, until: float) -> float | None:
        """Hand messages to the callbacks, then tell what changed. The caller holds the slot's claim."""
        self._handout.run(until, self._may_hand_out)
        now = time.monotonic()
        again = self._tell(now)
        if self._handout.waiting and self._may_hand_out():
            return now
        if again is None and self._observed and self._told.get("rate"):
            return now + 1.0  # it falls without anything arriving
        return again

    def _may_hand_out(self) -> bool:
        return self.feed.flows
