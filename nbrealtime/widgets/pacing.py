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
from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from typing import Final

from nbrealtime.widgets.audience import AWAY, Audience, Known, View

__all__ = ["Pacer", "Plan"]

TICK: Final = 1 / 60
PAUSE: Final = 1.75 * TICK
"""What sends news less often than so (s) is no stream of pictures: its news goes at once."""
KEEP_ALIVE: Final = 1 / AWAY
REFRESH: Final = 2.0
"""How often an unaddressed snapshot goes out while hellos may be waiting unheard."""
LONGEST_STEP: Final = 1.5
_NOBODY: Final[Set[str]] = frozenset()


class Plan:
    """What one tick sends."""

    __slots__ = ("answers", "frames", "snapshots")

    def __init__(self, answers: list[View]) -> None:
        self.frames: list[str] = []
        """Parts whose news goes to everybody."""
        self.snapshots: list[str] = []
        """Parts that go whole to everybody, for views that could not be heard."""
        self.answers = answers
        """Views whose hello is answered with a snapshot of their own."""

    def __bool__(self) -> bool:
        return bool(self.frames or self.snapshots or self.answers)


class _Beat:
    """How one part has been sent, and when it is sent next; monotonic seconds."""

    __slots__ = ("early", "framed", "next", "refreshed")

    def __init__(self) -> None:
        self.next = 0.0
        """Its next tick."""
        self.framed = -math.inf
        """When it was sent last."""
        self.refreshed = -math.inf
        """When it went whole to everybody last, for views that could not be heard."""
        self.early = False
        """It has news that waits for its next tick."""


class Pacer:
    """Decides, from who looks (``audience``), what is new and the time, what each tick sends."""

    def __init__(self, audience: Audience) -> None:
        self.audience = audience
        self._beats: defaultdict[str, _Beat] = defaultdict(_Beat)
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
            self._beats[part].refreshed = -math.inf

    def ack(self, page: str, reports: Iterable[View]) -> None:
        """A page says what it shows, how wide and how fast; a view it does not know yet counts as new."""
        for part in self.audience.ack(page, reports):
            # Back in sight: not only when the next keep-alive would have been due.
            self._beats[part].next = 0.0

    def forget(self, part: str) -> None:
        """A part was closed for good."""
        self.audience.forget(part)
        self._beats.pop(part, None)
        self._steady.discard(part)

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
        watched, beats = self.audience.known().watched, self._beats
        return {part for part in self._steady if part in watched and beats[part].next > now}

    def wait(self, now: float, dirty: Mapping[str, float]) -> float | None:
        """Seconds until the next tick that may send; ``None``: until something happens.

        Args:
            dirty: parts with news → the most ticks a second that they want.
        """
        known = self.audience.known()
        if known.has_new:
            return 0.0
        watched, rates = known.watched, known.rates
        if not watched:
            # With news that a hidden view would want, it is found out once a second whether the kernel hears.
            return 1.0 if self.audience.doubts(dirty) else None
        # Once a second silence is accounted, whatever else there is to do.
        at = now + 1.0
        if known.alive_until <= at:
            at = min(at, self._until_keep_alive(now, known))
        beats, rested = self._beats, 0
        for part in dirty:
            if part in rates:
                beat = beats[part]
                due = beat.next
                if due > now:
                    beat.early = True
                if due < at:
                    at = due
                if now - beat.framed >= PAUSE:
                    rested += 1
        # Whose news was there by the last tick will most likely have some by the next. To be there by itself costs
        # one wake-up after the last news; to be woken by each message costs one for each of them.
        for part in self._steady:
            if part in watched and now < (due := beats[part].next) < at:
                at = due
        # Unless everybody who is seen has news, and was not sent a moment ago.
        if at <= now and not self.busy and rested < len(watched):
            # The end of the tick that is running; one that begins right now is due.
            at = math.ceil(now / TICK - 1e-6) * TICK
        if at < self._taken_until:
            at = self._taken_until
        return at - now if at > now else 0.0

    def plan(self, now: float, dirty: Mapping[str, float]) -> Plan:
        """What to send now; the caller sends it all."""
        known = self.audience.known()
        if known.has_new:
            plan = Plan(self.audience.take_new())
            known = self.audience.known()
        else:
            plan = Plan([])
        rates, beats = known.rates, self._beats
        for part, rate in dirty.items():
            if part not in rates or (beat := beats[part]).next > now + 1e-6:
                continue
            if rates[part] < rate:
                rate = rates[part]
            plan.frames.append(part)
            # Beside a cell that computes a tick for nothing costs more than news that has to say so.
            if beat.early or (not self.busy and now - beat.framed < PAUSE):
                beat.early = False
                self._steady.add(part)
            # Absolute: a late tick does not push the next one, and what was missed is not made up for. Counted
            # from the clock's zero, so that parts of one rate fall into one message.
            beat.next = (math.floor(now * rate + 1e-6) + 1) / rate
            beat.framed = now
        if self._steady:
            for part in self._steady - dirty.keys():
                if beats[part].next <= now:
                    self._steady.discard(part)
        if now >= known.alive_until - 1e-6 and now >= self._until_keep_alive(now, known) - 1e-6:
            self._keep_alive(now, known.watched, plan)
        for part in known.unheard:
            if now - beats[part].refreshed >= REFRESH:
                beats[part].refreshed = beats[part].framed = now
                plan.snapshots.append(part)
                if part in plan.frames:
                    plan.frames.remove(part)
        if plan:
            self._taken_until = (math.floor(now / TICK + 1e-6) + 1) * TICK
        return plan

    def _until_keep_alive(self, now: float, known: Known) -> float:
        """When one of those in sight needs a keep-alive: then or later."""
        # Frames only put it off, so what was found stands until it is reached.
        if now >= known.alive_until - 1e-6:
            beats = self._beats
            framed = min([beats[part].framed for part in known.watched], default=math.inf)
            known.alive_until = framed + KEEP_ALIVE
        return known.alive_until

    def _keep_alive(self, now: float, watched: frozenset[str], plan: Plan) -> None:
        """Adds who was quiet for too long."""
        beats = self._beats
        # Those that would follow within the next half period come along, so that they share a message.
        soon = now - KEEP_ALIVE / 2
        for part in sorted(watched):
            if (beat := beats[part]).framed <= soon:
                plan.frames.append(part)
                beat.framed = now
