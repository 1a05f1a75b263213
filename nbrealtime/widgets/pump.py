"""The one thread that feeds every widget in every browser.

Collaborators: widgets hand it their parts (`join`, `leave`) and say when something is
new (`mark`); `audience.Audience` knows who looks, `pacing.Pacer` decides when who gets
what; the hub widget carries one message per tick for all of them and brings back what
browsers say.

The rules: it never sets a synced trait (`hold_sync` and `set_state` are not
thread-safe, and a trait is not a stream), every buffer is ``bytes`` of its own, and a
message from a browser may arrive on any thread (ipykernel 7 has subshells), so it is
only put into the inbox there.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Set
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any, Final

from nbrealtime import lifecycle
from nbrealtime.contention import Contention
from nbrealtime.widgets.audience import DEFAULT_WIDTH, Audience, View
from nbrealtime.widgets.hearing import Ear, pertinent, view_of
from nbrealtime.widgets.hub import Hub, hub
from nbrealtime.widgets.pacing import Pacer
from nbrealtime.widgets.parts import Frame, Part

__all__ = ["Pump", "pump"]

_log = logging.getLogger("nbrealtime.widgets")

ACCOUNT: Final = 0.25
"""How often (s) silence is accounted at most: nothing follows from less of it."""


class Pump:
    """Sends parts to browsers at the pace that they can take.

    Every method may be called from any thread, except `join`, which creates the hub
    widget and belongs on the thread that creates widgets.
    """

    def __init__(self) -> None:
        # Re-entrant: the collector, which may run anywhere, may close a widget, which marks its part and leaves.
        self._lock = threading.RLock()
        self._parts: dict[str, Part] = {}
        self._dirty: dict[str, float] = {}
        self._coming: Set[str] = frozenset()  # parts for which the thread wakes up by itself
        # Not a condition, which is a page of Python for each news: this waits in C.
        self._inbox: SimpleQueue[tuple[str, Any] | None] = SimpleQueue()
        """What was said, and None to wake up for news."""
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._hub: Hub | None = None
        self._ear: Ear | None = None
        self._audience = Audience()
        self._pacer = Pacer(self._audience)
        self._contention = Contention()
        self._accounted = -math.inf
        """When the pacer was told last how time passes."""
        self._seq = 0
        self._urged: set[str] = set()
        self._answers: dict[tuple[str, str], Frame] = {}
        """What parts answered to views' own words, by part and view."""
        self._widths: dict[str, int] = {}
        self.spoken_to = False
        """Whether any browser ever said a word."""

    # -- any thread -------------------------------------------------------------------

    def join(self, part: Part) -> Hub:
        """Takes ``part`` into the stream; returns the hub that its widget must refer to."""
        found = hub()
        with self._lock:
            if found is not self._hub:
                self._hub = found
                found.on_msg(self._received)
            self._parts[part.key] = part
            if self._thread is None and not self._stopped:
                self._ear = Ear()
                self._thread = threading.Thread(target=self._run, name="nbrealtime-pump", daemon=True)
                self._thread.start()
        return found

    def leave(self, part: Part) -> None:
        """Forgets ``part``: its views get nothing more, not even an answer."""
        with self._lock:
            self._parts.pop(part.key, None)
            self._dirty.pop(part.key, None)
            self._widths.pop(part.key, None)
        self._put("leave", part.key)

    def expect(self, part: Part) -> None:
        """``part`` is being shown by a cell: stream before its view could say hello."""
        self._put("expect", part.key)

    def mark(self, part: Part) -> None:
        """``part`` has news. Cheap when it is marked already; called for every message."""
        if part.key in self._dirty:
            return
        with self._lock:
            if part.key not in self._parts:
                return
            self._dirty[part.key] = part.max_hz
        if part.key not in self._coming:
            self._inbox.put(None)

    def width(self, part: Part) -> int:
        """CSS pixels of the view that last said how wide it shows ``part``."""
        return self._widths.get(part.key, DEFAULT_WIDTH)

    def urge(self, part: Part) -> None:
        """Sends a frame of ``part`` at once, also to hidden pages: what is urgent is for who does not look."""
        self._put("urge", part.key)

    def stop(self, seconds: float = lifecycle.GRACE_SECONDS) -> None:
        """Ends the thread; nothing is sent any more."""
        with self._lock:
            self._stopped = True
            thread = self._thread
        self._inbox.put(None)
        if thread is not None and thread is not threading.current_thread():
            thread.join(seconds)

    def _received(self, _hub: Hub, content: Any, _buffers: Any) -> None:
        self.spoken_to = True
        if self._ear is not None:
            self._ear.heard()
        if isinstance(content, dict):
            # A subshell's thread: a running cell keeps no word of this page waiting. Without a kernel nothing does.
            beside = threading.current_thread() is not threading.main_thread()
            self._put("word", {**content, "beside": beside})

    def _put(self, kind: str, what: Any) -> None:
        self._inbox.put((kind, what))

    # -- the pump thread --------------------------------------------------------------

    def _run(self) -> None:
        while True:
            words = self._wait()
            if self._stopped:
                return
            # Before the words: what they bring about may bring news.
            dirty = self._dirty.copy()
            if words:
                for kind, what in pertinent(words):
                    self._take(kind, what)
            self._tick(dirty)

    def _wait(self) -> list[tuple[str, Any]]:
        """Waits until there is something to do; returns what was said."""
        pacer, inbox = self._pacer, self._inbox
        now = time.monotonic()
        # However often it is woken for what is not due, silence is accounted once a second.
        latest = now + 1.0
        while now < latest:
            # Before it looks for news: whoever has some later finds here whether to wake it up.
            self._coming = pacer.coming(now)
            wait = pacer.wait(now, self._dirty.copy())
            if wait is not None and wait <= 0:
                break
            try:
                first = inbox.get(timeout=wait)
            except Empty:
                self._contention.woke(time.monotonic() - now - (wait or 0.0))
                return []
            if first is not None:
                return [first, *self._said()]
            if self._stopped:
                return []
            now = time.monotonic()
        return [] if inbox.empty() else self._said()

    def _said(self) -> list[tuple[str, Any]]:
        """What is there without a wait."""
        inbox = self._inbox
        return [word for _ in range(inbox.qsize()) if (word := inbox.get_nowait()) is not None]

    def _take(self, kind: str, what: Any) -> None:
        if kind == "expect":
            self._pacer.expect(what)
        elif kind == "leave":
            self._pacer.forget(what)
        elif kind == "urge":
            self._urged.add(what)
        else:
            try:
                self._listen(what)
            except Exception as error:  # noqa: BLE001 - whatever a page says, all the others are still fed
                _log.warning("a browser said what cannot be understood: %r (%s)", what, error)

    def _listen(self, content: dict[str, Any]) -> None:
        kind = content["type"]
        beside = content.pop("beside", False)
        if kind == "hello":
            view = view_of(content, content["page"])
            if view.part in self._parts:
                self._measure(view)
                self._audience.hello(view)
        elif kind == "ack":
            views = [view_of(one, content["page"]) for one in content["views"]]
            known = [view for view in views if view.part in self._parts]
            for view in known:
                self._measure(view)
            self._pacer.ack(content["page"], known)
        elif kind == "here":
            return  # a page has our models, and shows none of them yet: `spoken_to` is what that says
        elif kind == "bye":
            self._audience.bye(str(content["view"]))
            return
        else:
            part = self._parts.get(str(content["part"]))
            if part is not None and (answer := part.told(content)) is not None:
                self._answers[part.key, str(content["view"])] = answer
        if beside:
            self._audience.beside(str(content.get("page")))

    def _measure(self, view: View) -> None:
        if view.visible:
            self._widths[view.part] = view.width

    def _tick(self, dirty: dict[str, float]) -> None:
        now = time.monotonic()
        if now - self._accounted >= ACCOUNT or self._contention.busy is not self._pacer.busy:
            self._accounted = now
            ear = self._ear
            hearing = ear is None or ear.hearing(now, ask=bool(dirty) or self._audience.suspicious())
            self._pacer.advance(now, hearing=hearing, busy=self._contention.busy)
        plan = self._pacer.plan(now, dirty)
        if self._urged:
            plan.frames.extend(self._urged.difference(plan.frames, plan.snapshots))
            self._urged.clear()
        parts: list[dict[str, Any]] = []
        buffers: list[bytes] = []
        # Unmarked before it is read: what arrives meanwhile marks it again.
        for key in plan.frames:
            self._dirty.pop(key, None)
            self._collect(key, None, parts, buffers)
        for key in plan.snapshots:
            self._dirty.pop(key, None)
            self._collect(key, "", parts, buffers)
        for view in plan.answers:
            self._collect(view.part, view.view, parts, buffers)
        # After the snapshots: a view that says hello and asks at once knows what the answer is about.
        if self._answers:
            answers, self._answers = self._answers, {}
            for (key, one), frame in answers.items():
                if (asked := self._parts.get(key)) is not None:
                    _add(frame, asked, one, parts, buffers)
        if parts:
            self._send(parts, buffers)

    def _collect(self, key: str, view: str | None, parts: list[dict[str, Any]], buffers: list[bytes]) -> None:
        """One part's frame: its news (``view`` None), or everything for all views ("") or for one."""
        part = self._parts.get(key)
        if part is None:
            return
        viewing = self._audience.viewing(key)
        frame: Frame | None
        try:
            frame = part.frame(time.time(), viewing) if view is None else part.snapshot(time.time(), viewing)
        except Exception:  # noqa: BLE001 - the boundary between widgets
            self._expel(key, part.kind)
            return
        # It may have left meanwhile.
        if frame is not None and key in self._parts:
            _add(frame, part, view, parts, buffers)

    def _send(self, parts: list[dict[str, Any]], buffers: list[bytes]) -> None:
        self._seq = seq = self._seq + 1
        content = {"type": "frames", "seq": seq, "sent": int(time.time() * 1000), "parts": parts}
        if (target := self._hub) is None:
            return
        try:
            # Of a hub that was closed nothing goes anywhere.
            target.send(content, buffers)
        except Exception:  # noqa: BLE001 - the boundary between widgets
            # Something in it cannot be written as JSON, a label with half a character. The others go without it.
            if len(parts) == 1:
                self._expel(parts[0]["key"], parts[0]["kind"])
                return
            own = iter(buffers)
            for part in parts:
                self._send([part], list(islice(own, part["buffers"])))

    def _expel(self, key: str, kind: str) -> None:
        """One that fails must not stop the others. It leaves, and the log says why: called where that is known."""
        _log.exception("%s stopped: its part failed", kind)
        with self._lock:
            self._parts.pop(key, None)
            self._dirty.pop(key, None)
        self._pacer.forget(key)


def _add(
    frame: Frame, part: Part, view: str | None, parts: list[dict[str, Any]], buffers: list[bytes]
) -> None:
    """Puts the frame of ``part``, for one view or for all, into a message."""
    header, own = frame
    parts.append({**header, "key": part.key, "kind": part.kind, "view": view or None, "buffers": len(own)})
    buffers += own


_lock = threading.Lock()
_pump: Pump | None = None


def pump() -> Pump:
    """This process's pump; its thread starts with the first part."""
    global _pump
    # Asked by every message for each widget that shows it.
    if _pump is not None:
        return _pump
    with _lock:
        if _pump is None:
            _pump = Pump()
            lifecycle.at_exit(lifecycle.PUMP, _pump.stop)
        return _pump


def _forget() -> None:
    global _pump, _lock
    _pump, _lock = None, threading.Lock()


lifecycle.after_fork(_forget)
