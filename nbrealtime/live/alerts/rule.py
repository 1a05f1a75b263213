"""When an alert fires and when it clears: the decision for one series, without threads or clocks.

Pure: a ``Condition`` is given samples, times in s since the epoch, and returns what changed as ``Step``s.
``nbrealtime.live.alerts.alert`` keeps one for each series that it follows.

The rule here: *what is not known neither fires nor clears*. In particular:

* A number above ``above`` or below ``below`` meets the condition. It fires with the first sample at which every number
  for ``hold`` seconds has met it, by the samples' own times; between two samples the earlier one counts.
* It clears with the first number that is beyond the threshold by ``hysteresis``, on the good side; the threshold itself
  is no violation. What waits to fire starts anew with any number that does not meet the condition.
* NaN is a gap: it interrupts what waits to fire, since nobody knows whether it held, and ends nothing that fires. The
  same goes for messages that are known to be missing (``interrupt``). A pause alone is neither, unless it is longer than
  ``stale``: then what waits to fire starts anew.
* A sample that comes late, up to ``LATE_SECONDS``, is judged as if it had been taken with the newest one, so that none
  is missed and time never runs backwards; a later one is left out, as the ring leaves it out.
* ``silent`` says that nothing came for so long that this itself is the alarm; the next number ends it, and is judged.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Literal

import msgspec
import numpy as np

from nbrealtime.live.samples.ring import LATE_SECONDS, Floats

__all__ = ["AlertState", "Condition", "Reason", "Rule", "Step"]

Reason = Literal["above", "below", "stale"]

_HAIR = 1e-6
"""What sums of float times are off by; nobody samples faster."""
_FEW = 16
"""Up to so many samples a loop is cheaper than arrays."""

_CLEAR, _BAND, _MEETS, _GAP = range(4)


class AlertState(StrEnum):
    """Where an alert stands; the values are what ``Alert.state`` says."""

    OK = "ok"
    PENDING = "pending"
    FIRING = "firing"
    CLOSED = "closed"


class Rule(msgspec.Struct, frozen=True):
    """The thresholds (None: there is none), and for how long (s); raises ``ValueError`` for what could never clear."""

    above: float | None = None
    below: float | None = None
    hold: float = 0.0
    hysteresis: float = 0.0
    stale: float | None = None

    def __post_init__(self) -> None:
        if self.above is None and self.below is None and self.stale is None:
            raise ValueError("an alert needs above=, below= or stale_after=")
        for name, number in (("above", self.above), ("below", self.below)):
            if number is not None and not math.isfinite(number):
                raise ValueError(f"{name} is a finite number, not {number!r}")
        if not 0 <= self.hysteresis < math.inf:
            raise ValueError(
                f"hysteresis is a distance from the threshold, 0 or more, not {self.hysteresis!r}"
            )
        if self.above is not None and self.below is not None:
            if self.below >= self.above:
                raise ValueError(
                    f"below={self.below:g} is not less than above={self.above:g}: every value would be outside; "
                    "an alert fires outside of what lies between them"
                )
            if self.below + self.hysteresis > self.above - self.hysteresis:
                raise ValueError(
                    f"hysteresis={self.hysteresis:g} leaves nothing between below={self.below:g} and "
                    f"above={self.above:g} that could clear it"
                )


class Step(msgspec.Struct, frozen=True):
    """An alert that fired (``fired``) or cleared at ``time``."""

    fired: bool
    time: float
    value: float | None
    reason: Reason
    began: float
    """When the condition began to hold; for one that cleared, when it had fired."""


class Condition:
    """One series under a ``Rule``; see the module's docstring for what it decides."""

    __slots__ = ("_last", "began", "count", "newest", "reason", "rule", "since", "state", "value")

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.state = AlertState.OK
        self.value: float | None = None
        """The newest number."""
        self.since: float | None = None
        """Since when the state is what it is; None before the first number."""
        self.began: float | None = None
        """Since when the condition holds, while it waits to fire or fires."""
        self.reason: Reason | None = None
        self.count = 0
        """How often it has fired."""
        self.newest = -math.inf
        """The greatest time seen."""
        self._last: float | None = None  # of the newest number

    def judge(self, times: Floats, values: Floats) -> list[Step]:
        """Take samples in the order in which they came; return what changed with them."""
        steps: list[Step] = []
        if len(times) <= _FEW:
            for time, value in zip(times.tolist(), values.tolist(), strict=True):
                self._one(time, value, steps)
        else:
            self._many(times, values, steps)
        return steps

    def interrupt(self) -> None:
        """Samples are missing here: nobody knows whether what waits to fire held meanwhile."""
        if self.state is AlertState.PENDING:
            self._become(AlertState.OK, self.newest)

    def restart(self) -> None:
        """Forget the time that was reached: the samples were cleared, and a clock may begin anew."""
        self.interrupt()
        self.newest, self._last = -math.inf, None

    def silent(self, now: float) -> Step | None:
        """No number came for ``rule.stale``; return what changed. ``now`` counts where none ever came."""
        if self.state is AlertState.FIRING or self.rule.stale is None:
            return None
        at = now if self._last is None else self._last + self.rule.stale
        return self._fire(at, "stale", now if self._last is None else self._last)

    def end_silence(self, time: float) -> Step | None:
        """Something came that ends a ``silent``; return what changed."""
        if self.state is AlertState.FIRING and self.reason == "stale":
            return self._clear(time)
        return None

    # Below: the samples.

    def _one(self, time: float, value: float, steps: list[Step]) -> None:
        if not math.isfinite(time) or time < self.newest - LATE_SECONDS - _HAIR:
            return
        time = self.newest = max(time, self.newest)
        if not math.isfinite(value):
            self.interrupt()
            return
        last, self._last, self.value = self._last, time, value
        if self.since is None:
            self.since = time
        if (step := self.end_silence(time)) is not None:
            steps.append(step)
        rule = self.rule
        reason: Reason | None = None
        if rule.above is not None and value > rule.above:
            reason = "above"
        elif rule.below is not None and value < rule.below:
            reason = "below"
        if self.state is AlertState.FIRING:
            if reason is not None:
                self.reason = reason
            elif self._is_clear(value):
                steps.append(self._clear(time))
            return
        if reason is None:
            if self.state is AlertState.PENDING:
                self._become(AlertState.OK, time)
            return
        paused = last is not None and rule.stale is not None and time - last > rule.stale
        if self.state is AlertState.OK or paused or self.began is None:
            self._become(AlertState.PENDING, time)
            self.began = time
        self.reason = reason
        if time - self.began >= rule.hold - _HAIR:
            steps.append(self._fire(time, reason, self.began))

    def _many(self, times: Floats, values: Floats, steps: list[Step]) -> None:
        """As ``_one`` for each, but runs of samples that mean the same cost what one does."""
        rule = self.rule
        reached = np.maximum.accumulate(np.where(np.isfinite(times), times, -math.inf))
        reached = np.maximum(reached, self.newest)
        usable = times >= reached - (LATE_SECONDS + _HAIR)
        if not usable.all():
            reached, values = reached[usable], values[usable]
            if not len(reached):
                return
        codes = np.full(len(values), _CLEAR, dtype=np.int8)
        if rule.above is not None:
            codes[values > rule.above - rule.hysteresis] = _BAND
        if rule.below is not None:
            codes[values < rule.below + rule.hysteresis] = _BAND
        if rule.above is not None:
            codes[values > rule.above] = _MEETS
        if rule.below is not None:
            codes[values < rule.below] = _MEETS
        codes[~np.isfinite(values)] = _GAP
        differs = codes[1:] != codes[:-1]
        if rule.stale is not None:
            differs |= np.diff(reached) > rule.stale
        starts = [0, *(np.flatnonzero(differs) + 1).tolist()]
        for start, stop in zip(starts, [*starts[1:], len(codes)], strict=True):
            inside = [stop - 1] if stop - 1 > start else []
            self._one(float(reached[start]), float(values[start]), steps)
            if codes[start] == _MEETS and self.state is AlertState.PENDING and self.began is not None:
                due = start + int(np.searchsorted(reached[start:stop], self.began + rule.hold - _HAIR))
                # A hair to either side, as the subtraction of the times rounds.
                inside = sorted({*range(max(start + 1, due - 1), min(stop, due + 2)), *inside})
            for at in inside:
                if codes[start] != _GAP:
                    self._last = float(reached[at - 1])  # what was skipped was no pause
                self._one(float(reached[at]), float(values[at]), steps)

    def _is_clear(self, value: float) -> bool:
        rule = self.rule
        return (rule.above is None or value <= rule.above - rule.hysteresis) and (
            rule.below is None or value >= rule.below + rule.hysteresis
        )

    # Below: the states.

    def _become(self, state: AlertState, time: float) -> None:
        self.state, self.since = state, time
        if state is AlertState.OK:
            self.began = self.reason = None

    def _fire(self, time: float, reason: Reason, began: float) -> Step:
        self._become(AlertState.FIRING, time)
        self.reason, self.began = reason, began
        self.count += 1
        return Step(fired=True, time=time, value=self.value, reason=reason, began=began)

    def _clear(self, time: float) -> Step:
        # Of what fires both are known.
        reason, fired = self.reason or "stale", time if self.since is None else self.since
        self._become(AlertState.OK, time)
        return Step(fired=False, time=time, value=self.value, reason=reason, began=fired)
