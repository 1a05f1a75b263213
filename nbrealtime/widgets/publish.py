"""`PublishBox`: publish from the page, by keyboard.

Collaborators: ``js/src/publish.ts`` reads an entry, says what it is and sends it here as a
custom message; `Submission` checks it again; the connection's link sends it.

The rules: a message from a browser is checked as if anybody had sent it, and every one is
answered, to the view that sent it, with what became of it. It may arrive on any thread: on
ipykernel 7 a subshell's, while a cell runs. On ipykernel 6 it waits for the cell, and the box
says so.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
import traitlets

from nbrealtime.client.status import LinkState
from nbrealtime.errors import ConnectionClosed, RealtimeError
from nbrealtime.live import cells
from nbrealtime.widgets.panel import Panel
from nbrealtime.widgets.subjects import connection_of, sentence, topic_of, watch_link
from nbrealtime.wire.encodings import encode_data
from nbrealtime.wire.topics import check_topic

if TYPE_CHECKING:
    from nbrealtime.live.connection import Connection
    from nbrealtime.live.topic import LiveTopic

__all__ = ["PublishBox", "Submission", "encode_entry"]

_TOPICS: Final = 100


class Submission(msgspec.Struct, frozen=True, tag="publish", tag_field="type"):
    """An entry on its way from a view: which box of which page, which of its entries, and what it is."""

    box: str
    id: int
    topic: str
    mode: Literal["json", "text"]
    text: str


class PublishBox(Panel):
    """A box that publishes what is written into it: a number, JSON, or text.

    What will be sent is said before it is sent, what became of it afterwards: sent, queued
    while offline, or why not. Enter sends, Shift+Enter breaks the line, the arrow keys bring
    back the last entries.

    Args:
        topic: where to publish: a name, a `LiveTopic`, or nothing, to be filled in.
        connection: what to publish on: a `Connection`; the topic's, else the default one.
        editable: whether the topic may be changed in the page; by default only if none is given.
        mode: ``"auto"`` sends what is JSON as JSON and anything else as text; ``"json"`` and
            ``"text"`` begin with that choice.

    Raises:
        InvalidTopic: the name is none.
        NoServer, AmbiguousServer: no server can be found without being told.
        FrontEndMissing: the front end was not built; the message says what to type.
    """

    _bundle = "publish"

    topic = traitlets.Unicode(read_only=True, help="the topic that the box begins with").tag(sync=True)
    editable = traitlets.Bool(read_only=True, help="whether the topic may be changed in the page").tag(
        sync=True
    )
    mode = traitlets.Enum(
        ["auto", "json", "text"], "auto", read_only=True, help="the choice it begins with"
    ).tag(sync=True)

    def __init__(
        self,
        topic: LiveTopic | str | None = None,
        *,
        connection: Connection | None = None,
        editable: bool | None = None,
        mode: Literal["auto", "json", "text"] = "auto",
    ) -> None:
        cell = cells.current_cell()
        name = topic if isinstance(topic, str) else "" if topic is None else topic_of(topic).name
        if name:
            check_topic(name)
        owner = topic if connection is None and not isinstance(topic, str) else connection
        self._link = connection_of(owner).link
        self._sent_to: dict[str, None] = {}  # the last topics, in order
        self._refusals: dict[str, str] = {}
        super().__init__(topic=name, editable=not name if editable is None else editable, mode=mode)
        self._watch(watch_link(self._link, self._changed))
        with contextlib.suppress(ConnectionClosed):  # then nothing will be reported, and the box shows why
            self._watch(self._link.on_report(self._reported))
        self._replace_with(cell)

    def __repr__(self) -> str:
        return f"PublishBox to {self.topic or 'any topic'}: {self._read()['state']}"

    def _state(self) -> dict[str, Any]:
        status = self._link.status
        return {"state": status.state.value, "why": sentence(status), "refusals": dict(self._refusals)}

    def _changed(self) -> None:
        # Client thread. Another connection may have another token: what the last one refused says nothing.
        if self._link.status.state is not LinkState.CONNECTED and self._refusals:
            self._refusals = {}
        self._mark()

    def _reported(self, text: str) -> None:
        # Client thread. v1 says of a refused publish its topic at most, so that is what the box can tell.
        for topic in tuple(self._sent_to):
            if text.startswith(f"{topic}: "):
                self._refusals = {**self._refusals, topic: text.removeprefix(f"{topic}: ")}
                self._mark()

    def _receive(self, content: dict[str, Any]) -> None:
        try:
            entry = msgspec.convert(content, Submission)
        except msgspec.ValidationError:
            return  # not from our front end: there is no box to answer
        outcome, says = self._publish(entry)
        self.send({"type": "answer", "box": entry.box, "id": entry.id, "outcome": outcome, "says": says})

    def _publish(self, entry: Submission) -> tuple[str, str]:
        """Publishes an entry; returns what became of it, in a word and in a sentence."""
        if self._closed:
            return "refused", "Not sent: this box is closed"
        if not self.editable and entry.topic != self.topic:
            return "refused", f"Not sent: this box publishes to {self.topic} only"
        self._remember(entry.topic)
        try:
            self._link.publish(check_topic(entry.topic), encode_entry(entry.text, entry.mode))
        except (RealtimeError, ValueError) as error:
            return "refused", f"Not sent: {error}"
        if self._link.status.state is LinkState.CONNECTED:
            return "sent", f"Sent to {entry.topic}"
        return "queued", f"Queued for {entry.topic}, offline"

    def _remember(self, topic: str) -> None:
        # Before it is sent, since a refusal may come while `publish` returns. One assignment: handlers may
        # run beside each other.
        topics = {**self._sent_to, topic: None}
        while len(topics) > _TOPICS:
            del topics[next(iter(topics))]
        self._sent_to = topics


def encode_entry(text: str, mode: Literal["json", "text"]) -> bytes:
    """Returns an entry as a payload, byte for byte what was written where it is JSON.

    Raises:
        ValueError: it is no JSON; the message says where it ends to be.
    """
    if mode == "text":
        return encode_data(text)
    raw = text.strip().encode()
    try:
        msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        try:
            json.loads(text)
        except json.JSONDecodeError as fault:
            raise ValueError(f"not JSON, line {fault.lineno}, column {fault.colno}: {fault.msg}") from fault
        raise ValueError(f"not JSON: {error}") from error
    return raw
