"""When to send what to whom: the pump's decisions, without its thread.

Collaborators: ``pump`` owns one ``Pacer``, tells it what is new, and does what its plans say. `audience.Audience` knows
who looks, and what a *part*, a *view* and a *page* are; what browsers say goes there, and comes here where it changes when
something is due.

Pure: every time is an argument (seconds, monotonic). The rules:

* Ticks lie on an absolute schedule, at most 60/s. A relative sleep loses 15 % of them
  in a kernel that computes, because each wake-up waits for the interpreter.
* News that comes after a pause is not kept for the next tick: it goes at once, when every part that somebody sees has
  some. Others would need a message of their own. A fast stream keeps to the ticks: frames that go when their news
  comes fall two into one of the browser's pictures, and none into the next.
* A part takes part in as many ticks as its audience wants.
* Without new data nothing ticks but a keep-alive every 2 s, and only when a view is
  visible: the frame of every visible part that was quiet for so long, all in one message.
  It costs a few hundred bytes and brings what changes without data (attempts, ages,
  hints), so that nothing else needs a timer.
* While the interpreter is contended, 36 ticks a second on a grid of their own. Every wake-up of ours takes it
  from the cell, and beyond some 25 pictures nobody sees the difference: at 60 the cell lost 13 % of its
  speed. On the grid of 60 a thread that waits 5 ms for each of its turns misses every other short step; a
  grid of whole periods leaves each tick the time it takes. That a cell runs is no reason: one that sleeps, or
  waits in C without the interpreter, loses nothing to us.
* A part that is expected gets a snapshot for everybody every 2 s, for a hello that could not be heard.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Final

from nbrealtime.widgets.audience import AWAY, Audience, View

__all__ = ["Pacer", "Plan"]

TICK: Final = 1 / 60
PAUSE: Final = 1.75 * TICK
"""What sends news less often than so (s) is no stream of pictures: its news goes at once."""
KEEP_ALIVE: Final = 1 / AWAY
REFRESH: Final = 2.0
"""How often an unaddressed snapshot goes out while hellos may be waiting unheard."""
LONGEST_STEP: Final = 1.5
_NOBODY: Final[Set[str]] = frozenset()


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


class Pacer:
    """Decides, from who looks (``audience``), what is new and the time, what each tick sends."""

    def __init__(self, audience: Audience) -> None:
        self.audience = audience
        self._next: dict[str, float] = {}
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
        self.busy = False
        """Whether others wanted the interpreter at the last `advance`."""

    # -- what browsers say ------------------------------------------------------------

    def expect(self, part: str) -> None:
        """``part`` is being shown: stream as if it had a view, until one says hello."""
        if self.audience.expect(part):
            self._refreshed.pop(part, None)

    def ack(self, page: str, reports: Iterable[View]) -> None:
        """A page says what it shows, how wide and how fast; a view it does not know yet counts as new."""
        for part in self.audience.ack(page, reports):
            # Back in sight: not only when the next keep-alive would have been due.
            self._next.pop(part, None)

    def forget(self, part: str) -> None:
        """A part was closed for good."""
        self.audience.forget(part)
        for table in (self._next, self._refreshed, self._framed):
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
        self._now, self.busy = now, busy
        self.audience.advance(passed, hearing=hearing, busy=busy)

    def coming(self, now: float) -> Set[str]:
        """The parts that have a tick ahead of them, for which `wait` wakes up whether they have news or not."""
        if not self._steady:
            return _NOBODY
        watched, due = self.audience.watched, self._next
        return {part for part in self._steady if part in watched and due.get(part, 0.0) > now}

    def wait(self, now: float, dirty: Mapping[str, float]) -> float | None:
        """Seconds until the next tick that may send; ``None``: until something happens.

        Args:
            dirty: parts with news → the most ticks a second that they want.
        """
        audience = self.audience
        if audience.has_new:
            return 0.0
        watched = audience.watched
        if not watched:
            # With news that a hidden view would want, it is found out once a second whether the kernel hears.
            return 1.0 if audience.doubts(dirty) else None
        # Once a second silence is accounted, whatever else there is to do.
        at = now + 1.0
        framed, ticks = self._framed, self._next
        for part in watched:
            at = min(at, framed.get(part, 0.0) + KEEP_ALIVE)
        for part in dirty:
            if audience.rate(part) > 0:
                due = ticks.get(part, 0.0)
                if due > now:
                    self._early.add(part)
                at = min(at, due)
        # Whose news was there by the last tick will most likely have some by the next. To be there by itself costs
        # one wake-up after the last news; to be woken by each message costs one for each of them.
        for part in self._steady:
            if part in watched and now < (due := self._next.get(part, 0.0)) < at:
                at = due
        if at <= now and not self.busy and not self._rested(watched, dirty, now):
            # The end of the tick that is running; one that begins right now is due.
            at = math.ceil(now / TICK - 1e-6) * TICK
        return max(0.0, at - now, self._taken_until - now)

    def _rested(self, watched: frozenset[str], dirty: Mapping[str, float], now: float) -> bool:
        """Whether every part that somebody sees has news, and none of them was sent a moment ago."""
        return watched <= dirty.keys() and all(now - self._framed.get(part, 0.0) >= PAUSE for part in watched)

    def plan(self, now: float, dirty: Mapping[str, float]) -> Plan:
        """What to send now; the caller sends it all."""
        audience = self.audience
        plan = Plan(answers=audience.take_new())
        for part, most in dirty.items():
            rate = min(audience.rate(part), most)
            if rate <= 0 or self._next.get(part, 0.0) > now + 1e-6:
                continue
            plan.frames.append(part)
            # Beside a cell that computes a tick for nothing costs more than news that has to say so.
            if part in self._early or (not self.busy and now - self._framed.get(part, 0.0) < PAUSE):
                self._early.discard(part)
                self._steady.add(part)
            # Absolute: a late tick does not push the next one, and what was missed is not made up for. Counted
            # from the clock's zero, so that parts of one rate fall into one message.
            self._next[part] = (math.floor(now * rate + 1e-6) + 1) / rate
        if self._steady:
            for part in self._steady - dirty.keys():
                if self._next.get(part, 0.0) <= now:
                    self._steady.discard(part)
        self._keep_alive(now, plan)
        for part in audience.unheard:
            if now - self._refreshed.get(part, -math.inf) >= REFRESH:
                self._refreshed[part] = now
                plan.snapshots.append(part)
                if part in plan.frames:
                    plan.frames.remove(part)
        if plan:
            for part in (*plan.frames, *plan.snapshots):
                self._framed[part] = now
            self._taken_until = (math.floor(now / TICK + 1e-6) + 1) * TICK
        return plan

    def _keep_alive(self, now: float, plan: Plan) -> None:
        """Adds who was quiet for too long."""
        watched, framed = self.audience.watched, self._framed
        for part in watched:
            if now - framed.get(part, -math.inf) >= KEEP_ALIVE - 1e-6:
                break
        else:
            return
        # Those that would follow within the next half period come along, so that they share a message.
        soon = now - KEEP_ALIVE / 2
        plan.frames += [
            part
            for part in sorted(watched)
            if part not in plan.frames and framed.get(part, -math.inf) <= soon
        ]
