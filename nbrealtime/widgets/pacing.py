"""When to send what to whom: the pump's decisions, without its thread.

Collaborators: ``pump`` owns one ``Pacer``, tells it what browsers say and what is new,
and does what its plans say. A *part* is what one widget needs sent; a *view* is one
rendering of it in a browser; a *page* holds views and acknowledges for all of them.

Pure: every time is an argument (seconds, monotonic). The rules:

* Ticks lie on an absolute schedule, at most 60/s. A relative sleep loses 15 % of them
  in a kernel that computes, because each wake-up waits for the interpreter.
* News that comes after a pause is not kept for the next tick: it goes at once, when every part that somebody sees has
  some. Others would need a message of their own. A fast stream keeps to the ticks: frames that go when their news
  comes fall two into one of the browser's pictures, and none into the next.
* A part takes part in as many ticks as the slowest visible view says it can draw. A view that was
  scrolled away on a visible page gets the keep-alive and no more: what a screen reader reads stays
  true, and what scrolls back into sight is no older than that. A hidden page gets nothing.
* Without new data nothing ticks but a keep-alive every 2 s, and only when a view is
  visible: the frame of every visible part that was quiet for so long, all in one message.
  It costs a few hundred bytes and brings what changes without data (attempts, ages,
  hints), so that nothing else needs a timer.
* Silence of a page means something only while the kernel can hear. On ipykernel 6 a
  running cell keeps every word of the browser waiting, and a plot that slowed down then
  would do exactly what this project exists to avoid: so while the kernel is deaf the
  stream stays open-loop at the last rate, and only after 90 s falls back to 8/s. While
  the kernel hears, three seconds without a word mean 8/s, ten mean 1/s, thirty mean that
  the page is gone. A page that was forgotten by mistake says hello again by itself.
* Nor is it heard while the kernel is deaf that somebody looks again. So then a view that was scrolled
  away counts as in sight, and a hidden one gets 8/s, 1/s after 90 s: whoever comes back finds it moving.
* A page whose words come on a thread beside the cell (ipykernel 7's subshells) is always heard.
* While the interpreter is contended, 36 ticks a second on a grid of their own. Every wake-up of ours takes it
  from the cell, and beyond some 25 pictures nobody sees the difference: at 60 the cell lost 13 % of its
  speed. On the grid of 60 a thread that waits 5 ms for each of its turns misses every other short step; a
  grid of whole periods leaves each tick the time it takes. That a cell runs is no reason: one that sleeps, or
  waits in C without the interpreter, loses nothing to us.
* A part that was just shown is *expected*: it streams as if a view had said hello,
  which on ipykernel 6 may not be heard before a long cell ends.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Pacer", "Plan", "View", "Viewing"]

TICK: Final = 1 / 60
BUSY_RATE: Final = 36.0
PAUSE: Final = 1.75 * TICK
"""What sends news less often than so (s) is no stream of pictures: its news goes at once."""
KEEP_ALIVE: Final = 2.0
REFRESH: Final = 2.0
"""How often an unaddressed snapshot goes out while hellos may be waiting unheard."""

SLOW_AFTER, CRAWL_AFTER, GONE_AFTER = 3.0, 10.0, 30.0
DEAF_SLOW_AFTER: Final = 90.0
EXPECT: Final = 10.0
SLOW, CRAWL = 8.0, 1.0
LONGEST_STEP: Final = 1.5
MOST_PAGES: Final = 64
"""Hidden pages owe no word, so a closed one among them is never missed: the oldest are forgotten instead."""
AWAY: Final = 1 / KEEP_ALIVE
DEFAULT_WIDTH: Final = 800


@dataclass(slots=True)
class View:
    """One rendering of a part in a browser."""

    view: str
    part: str
    page: str
    width: int = DEFAULT_WIDTH
    visible: bool = True
    """Whether its page is the one that its window shows."""
    away: bool = False
    """Scrolled out of sight on a visible page."""
    rate: float = 60.0
    """Frames a second that the browser says it can draw."""


@dataclass(frozen=True, slots=True)
class Viewing:
    """How a part is looked at: what decides how finely it is sent."""

    width: int
    """CSS pixels of the widest visible view."""


@dataclass(slots=True)
class Plan:
    """What one tick sends."""

    frames: list[str] = field(default_factory=list)
    """Parts whose news goes to everybody."""
    snapshots: list[str] = field(default_factory=list)
    """Parts that go whole to everybody, for views that could not be heard."""
    answers: list[View] = field(default_factory=list)
    """Views whose hello is answered with a snapshot of their own."""

    def __bool__(self) -> bool:
        return bool(self.frames or self.snapshots or self.answers)


@dataclass(slots=True)
class _Page:
    silent: float = 0.0
    """Seconds without a word while the kernel could hear."""
    deaf: float = 0.0
    """Seconds without a word while it could not."""
    beside: bool = False
    """Its words come beside a running cell."""


class Pacer:
    """Decides, from views, acknowledgements and the time, what each tick sends."""

    def __init__(self) -> None:
        self._views: dict[str, View] = {}
        self._pages: dict[str, _Page] = {}
        self._expected: dict[str, float] = {}
        """Parts that were shown and have no view yet → seconds for which the kernel heard none."""
        self._next: dict[str, float] = {}
        self._hellos: dict[str, View] = {}
        self._refreshed: dict[str, float] = {}
        self._framed: dict[str, float] = {}
        """Part → when it was sent last."""
        self._early: set[str] = set()
        """Parts with news that waits for their next tick."""
        self._steady: set[str] = set()
        """Parts whose news was there by their last tick."""
        self._taken_until = 0.0
        """The end of the tick in which something was sent last."""
        self._now: float | None = None
        self._hearing = True
        self._busy = False

    # -- what browsers say ------------------------------------------------------------

    def expect(self, part: str) -> None:
        """``part`` is being shown: stream as if it had a view, until one says hello."""
        if not any(view.part == part for view in self._views.values()):
            self._expected[part] = 0.0
            self._refreshed.pop(part, None)

    def hello(self, view: View) -> None:
        """A view exists, or lost its state: it gets a snapshot at the next tick."""
        self._expected.pop(view.part, None)
        known = self._views.get(view.view)
        if known is not None:
            view.rate = known.rate
        self._views[view.view] = self._hellos[view.view] = view
        self._spoke(view.page)

    def ack(self, page: str, reports: Iterable[View]) -> None:
        """A page says what it shows, how wide and how fast; a view it does not know yet counts as new."""
        self._spoke(page)
        for report in reports:
            known = self._views.get(report.view)
            self._views[report.view] = report
            if known is None:
                self._hellos[report.view] = report
                self._expected.pop(report.part, None)
            elif (known.away and not report.away) or (report.visible and not known.visible):
                # Back in sight: not only when the next keep-alive would have been due.
                self._next.pop(report.part, None)

    def beside(self, page: str) -> None:
        """A word of ``page`` came while a cell ran, or would have: it is heard whatever runs."""
        if page in self._pages:
            self._pages[page].beside = True

    def _spoke(self, page: str) -> None:
        known = self._pages.pop(page, None)
        self._pages[page] = _Page(beside=known is not None and known.beside)
        while len(self._pages) > MOST_PAGES:
            self._drop_page(next(iter(self._pages)))

    def _drop_page(self, page: str) -> None:
        for view in [view.view for view in self._views.values() if view.page == page]:
            self.bye(view)
        self._pages.pop(page, None)

    def bye(self, view: str) -> None:
        """A view is gone; a page without views is forgotten."""
        gone = self._views.pop(view, None)
        self._hellos.pop(view, None)
        if gone is not None and not any(other.page == gone.page for other in self._views.values()):
            self._pages.pop(gone.page, None)

    def forget(self, part: str) -> None:
        """A part was closed for good."""
        for view in [view.view for view in self._views.values() if view.part == part]:
            self.bye(view)
        for table in (self._expected, self._next, self._refreshed, self._framed):
            table.pop(part, None)
        self._steady.discard(part)
        self._early.discard(part)

    # -- what the clock says ----------------------------------------------------------

    def advance(self, now: float, *, hearing: bool, busy: bool = False) -> None:
        """Accounts the time since the last call.

        Args:
            hearing: browsers' words reach the kernel now.
            busy: others want the interpreter, as `Contention` finds.
        """
        # At least once a second while anybody looks. A longer while is a sleep with nobody looking, or of the
        # machine: it is no silence of those who have come since.
        passed = 0.0 if self._now is None else min(LONGEST_STEP, max(0.0, now - self._now))
        self._now, self._hearing, self._busy = now, hearing, busy
        for page, state in list(self._pages.items()):
            if not hearing and not state.beside:
                state.deaf += passed
            # Nothing is owed by a page that shows nothing: nothing is sent to it.
            elif any(view.visible for view in self._views.values() if view.page == page):
                state.silent += passed
            else:
                state.deaf = 0.0
            if state.silent > GONE_AFTER:
                self._drop_page(page)
        if hearing:
            for part in list(self._expected):
                self._expected[part] += passed
                if self._expected[part] > EXPECT:
                    del self._expected[part]

    def rate(self, part: str) -> float:
        """Frames a second that ``part`` may get now; 0 when nobody looks."""
        looked, others = [], []
        for view in self._views.values():
            if view.part != part:
                continue
            unheard = self._unheard(view.page)
            if view.visible and (unheard or not view.away):
                looked.append(min(view.rate, self._patience(view.page)))
            elif view.visible:
                others.append(AWAY)
            elif unheard:
                others.append(CRAWL if self._pages[view.page].deaf > DEAF_SLOW_AFTER else SLOW)
        if part in self._expected:
            looked.append(60.0)
        if self._busy and looked:
            looked.append(BUSY_RATE)
        # Nobody who looks waits for a view that nobody sees elsewhere.
        return min(looked, default=max(others, default=0.0))

    def _unheard(self, page: str) -> bool:
        return not self._hearing and not self._pages[page].beside

    def _patience(self, page: str) -> float:
        state = self._pages[page]
        if state.silent > CRAWL_AFTER:
            return CRAWL
        if state.silent > SLOW_AFTER or state.deaf > DEAF_SLOW_AFTER:
            return SLOW
        return 60.0

    def viewing(self, part: str) -> Viewing:
        """How ``part`` is looked at now."""
        views = [view for view in self._views.values() if view.part == part]
        # Hidden ones alone are sent to while they cannot say that they are not: as finely as they had it.
        widths = [view.width for view in views if view.visible] or [view.width for view in views]
        return Viewing(width=max(widths, default=DEFAULT_WIDTH))

    def watched(self) -> set[str]:
        """The parts that somebody can see, or may in a moment."""
        seen = {view.part for view in self._views.values() if view.visible or self._unheard(view.page)}
        return seen.union(self._expected)

    def coming(self, now: float) -> set[str]:
        """The parts that have a tick ahead of them, for which `wait` wakes up whether they have news or not."""
        return {part for part in self._steady & self.watched() if self._next.get(part, 0.0) > now}

    def suspicious(self) -> bool:
        """Whether it matters now if the kernel can hear: some page owes a word, or may want to say that it looks."""
        return (
            bool(self._expected)
            or any(page.silent + page.deaf > 1.5 for page in self._pages.values())
            or any(self._doubtful(view) for view in self._views.values())
        )

    def _doubtful(self, view: View) -> bool:
        return not view.visible and not self._pages[view.page].beside

    def wait(self, now: float, dirty: Mapping[str, float]) -> float | None:
        """Seconds until the next tick that may send; ``None``: until something happens.

        Args:
            dirty: parts with news → the most ticks a second that they want.
        """
        if self._hellos:
            return 0.0
        watched = self.watched()
        if not watched:
            # With news that a hidden view would want, it is found out once a second whether the kernel hears.
            wanted = any(view.part in dirty and self._doubtful(view) for view in self._views.values())
            return 1.0 if wanted else None
        # Once a second silence is accounted, whatever else there is to do.
        at = min([now + 1.0, *(self._framed.get(part, 0.0) + KEEP_ALIVE for part in watched)])
        for part in dirty:
            if self.rate(part) > 0:
                due = self._next.get(part, 0.0)
                if due > now:
                    self._early.add(part)
                at = min(at, due)
        # Whose news was there by the last tick will most likely have some by the next. To be there by itself costs
        # one wake-up after the last news; to be woken by each message costs one for each of them.
        for part in self.coming(now):
            at = min(at, self._next[part])
        if at <= now and not self._busy and not self._rested(watched, dirty, now):
            # The end of the tick that is running; one that begins right now is due.
            at = math.ceil(now / TICK - 1e-6) * TICK
        return max(0.0, max(at, self._taken_until) - now)

    def _rested(self, watched: set[str], dirty: Mapping[str, float], now: float) -> bool:
        """Whether every part that somebody sees has news, and none of them was sent a moment ago."""
        return watched <= dirty.keys() and all(now - self._framed.get(part, 0.0) >= PAUSE for part in watched)

    def plan(self, now: float, dirty: Mapping[str, float]) -> Plan:
        """What to send now; the caller sends it all."""
        plan = Plan(answers=list(self._hellos.values()))
        self._hellos.clear()
        for part, most in dirty.items():
            rate = min(self.rate(part), most)
            due = self._next.get(part, 0.0)
            if rate <= 0 or due > now + 1e-6:
                continue
            plan.frames.append(part)
            # Beside a cell that computes a tick for nothing costs more than news that has to say so.
            if part in self._early or (not self._busy and now - self._framed.get(part, 0.0) < PAUSE):
                self._early.discard(part)
                self._steady.add(part)
            # Absolute: a late tick does not push the next one, and what was missed is not made up for. Counted
            # from the clock's zero, so that parts of one rate fall into one message.
            self._next[part] = (math.floor(now * rate + 1e-6) + 1) / rate
        self._steady -= {part for part in self._steady - dirty.keys() if self._next.get(part, 0.0) <= now}
        watched = self.watched()
        quiet = [part for part in watched if now - self._framed.get(part, -math.inf) >= KEEP_ALIVE - 1e-6]
        if quiet:
            # Those that would follow within the next half period come along, so that they share a message.
            soon = now - KEEP_ALIVE / 2
            plan.frames.extend(
                part
                for part in sorted(watched)
                if part not in plan.frames and self._framed.get(part, -math.inf) <= soon
            )
        unheard = set(self._expected)
        unheard.update(
            view.part for view in self._views.values() if view.visible and self._unheard(view.page)
        )
        for part in unheard:
            if now - self._refreshed.get(part, -math.inf) >= REFRESH:
                self._refreshed[part] = now
                plan.snapshots.append(part)
        plan.frames = [part for part in plan.frames if part not in plan.snapshots]
        for part in (*plan.frames, *plan.snapshots):
            self._framed[part] = now
        if plan:
            self._taken_until = (math.floor(now / TICK + 1e-6) + 1) * TICK
        return plan
