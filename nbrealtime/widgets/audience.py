"""Who looks at what, as far as the kernel knows, and how often and how finely each widget is wanted for that.

Collaborators: `pump.Pump` owns one `Audience` and tells it what browsers say; `pacing.Pacer` tells it how time passes, and
asks it before every tick. A *part* is what one widget needs sent; a *view* is one rendering of it in a browser; a *page* holds views and
acknowledges for all of them: at most once a second, and at least every three seconds while something is drawn there.

Pure: time comes as an argument. The rules:

* A part is wanted as often as the slowest visible view says it can draw. A view that was scrolled away on a visible page
  wants the keep-alive and no more: what a screen reader reads stays true, and what scrolls back into sight is no older
  than that. A hidden page gets nothing.
* Silence of a page means something only while the kernel can hear. On ipykernel 6 a running cell keeps every word of the
  browser waiting, and a plot that slowed down then would do exactly what this project exists to avoid: so while the
  kernel is deaf the last rate stands, and only after 90 s falls to 8/s. While the kernel hears, six and a half seconds
  without a word mean 8/s, ten mean 1/s, thirty mean that the page is gone. A page that was forgotten by mistake says
  hello again by itself.
* Nor is it heard while the kernel is deaf that somebody looks again. So then a view that was scrolled away counts as in
  sight, and a hidden one gets 8/s, 1/s after 90 s: whoever comes back finds it moving.
* A page whose words come on a thread beside the cell (ipykernel 7's subshells) is always heard.
* While others want the interpreter nobody gets more than 36 frames a second.
* A part that was just shown is *expected*: it is wanted as if a view had said hello, which on ipykernel 6 may not be
  heard before a long cell ends.
* What follows from views and pages is worked out once (`Known`) and asked several times a tick: whatever changes one of
  them ends with `_change`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

__all__ = [
    "AWAY",
    "BUSY_RATE",
    "CRAWL",
    "CRAWL_AFTER",
    "DEAF_SLOW_AFTER",
    "DEFAULT_WIDTH",
    "EXPECT",
    "GONE_AFTER",
    "MOST_PAGES",
    "QUIET",
    "SLOW",
    "SLOW_AFTER",
    "Audience",
    "Known",
    "View",
    "Viewing",
]

BUSY_RATE: Final = 36.0
QUIET: Final = 3.0
"""How long (s) a page that draws is silent when it has nothing new to say; js/src/shared/acks.ts."""
SLOW_AFTER, CRAWL_AFTER, GONE_AFTER = 6.5, 10.0, 30.0
"""The first leaves time to find out that the kernel is deaf after a page was quiet: a cell slows nothing down."""
DEAF_SLOW_AFTER: Final = 90.0
EXPECT: Final = 10.0
SLOW, CRAWL = 8.0, 1.0
AWAY: Final = 0.5
"""Frames a second for who is scrolled away: the keep-alive."""
MOST_PAGES: Final = 64
"""Hidden pages owe no word, so a closed one among them is never missed: the oldest are forgotten instead."""
DEFAULT_WIDTH: Final = 800
_MOST: Final = 60.0


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
    rate: float = _MOST
    """Frames a second that the browser says it can draw."""


@dataclass(frozen=True, slots=True)
class Viewing:
    """How a part is looked at: what decides how finely it is sent."""

    width: int
    """CSS pixels of the widest visible view."""


@dataclass(slots=True)
class _Page:
    silent: float = 0.0
    """Seconds without a word while the kernel could hear."""
    deaf: float = 0.0
    """Seconds without a word while it could not."""
    beside: bool = False
    """Its words come beside a running cell."""

    @property
    def patience(self) -> float:
        """Frames a second for who has said nothing for so long."""
        if self.silent > CRAWL_AFTER:
            return CRAWL
        if self.silent > SLOW_AFTER or self.deaf > DEAF_SLOW_AFTER:
            return SLOW
        return _MOST


@dataclass(slots=True)
class Known:
    """What follows from views and pages, until one of them changes."""

    watched: frozenset[str]
    """The parts that somebody can see, or may in a moment."""
    unheard: frozenset[str]
    """Those of them that may have views whose hello could not be heard."""
    showing: frozenset[str]
    """The pages on which any view is visible."""
    rates: dict[str, float]
    """Frames a second that a part may get now; nobody looks at one that is not there."""
    has_new: bool
    """Whether a view waits for its first answer."""
    viewings: dict[str, Viewing] = field(default_factory=dict)
    """How those are looked at that were asked for."""
    alive_until: float = -math.inf
    """When, at the earliest, one of the watched needs a keep-alive, as the pacer found."""


class Audience:
    """Views, their pages, and the parts that are expected to have views in a moment."""

    def __init__(self) -> None:
        self._views: dict[str, View] = {}
        self._pages: dict[str, _Page] = {}
        self._expected: dict[str, float] = {}
        """Parts that were shown and have no view yet → seconds for which the kernel heard none."""
        self._new: dict[str, View] = {}
        self._hearing = True
        self._busy = False
        self._known: Known | None = None

    # -- what browsers say ------------------------------------------------------------

    def expect(self, part: str) -> bool:
        """``part`` is being shown; False if it has a view already."""
        if any(view.part == part for view in self._views.values()):
            return False
        self._expected[part] = 0.0
        self._change()
        return True

    def hello(self, view: View) -> None:
        """A view exists, or lost its state."""
        self._expected.pop(view.part, None)
        known = self._views.get(view.view)
        if known is not None:
            view.rate = known.rate
        self._views[view.view] = self._new[view.view] = view
        self._spoke(view.page)

    def ack(self, page: str, reports: Iterable[View]) -> list[str]:
        """A page says what it shows, how wide and how fast; returns the parts that came back into sight.

        A view that is not known yet counts as one that said hello.
        """
        back = []
        for report in reports:
            known = self._views.get(report.view)
            self._views[report.view] = report
            if known is None:
                self._new[report.view] = report
                self._expected.pop(report.part, None)
            elif (known.away and not report.away) or (report.visible and not known.visible):
                back.append(report.part)
        self._spoke(page)
        return back

    def beside(self, page: str) -> None:
        """A word of ``page`` came while a cell ran, or would have: it is heard whatever runs."""
        if page in self._pages:
            self._pages[page].beside = True
            self._change()

    def bye(self, view: str) -> None:
        """A view is gone; a page without views is forgotten."""
        gone = self._views.pop(view, None)
        self._new.pop(view, None)
        if gone is not None:
            if not any(other.page == gone.page for other in self._views.values()):
                self._pages.pop(gone.page, None)
            self._change()

    def forget(self, part: str) -> None:
        """A part was closed for good."""
        for view in [view.view for view in self._views.values() if view.part == part]:
            self.bye(view)
        self._expected.pop(part, None)
        self._change()

    def take_new(self) -> list[View]:
        """The views that wait for their first answer; they get it now."""
        new = list(self._new.values())
        self._new.clear()
        self._change()
        return new

    # -- what the clock says ----------------------------------------------------------

    def advance(self, seconds: float, *, hearing: bool, busy: bool) -> None:
        """So much time has passed, in which browsers' words reached the kernel or did not."""
        if hearing is not self._hearing or busy is not self._busy:
            self._hearing, self._busy = hearing, busy
            self._change()
        showing = self.known().showing
        gone = []
        for name, page in self._pages.items():
            if not hearing and not page.beside:
                page.deaf += seconds
            # Nothing is owed by a page that shows nothing: nothing is sent to it.
            elif name in showing:
                page.silent += seconds
            elif page.deaf:
                page.deaf = 0.0
                self._change()
            # From less silence nothing follows.
            if page.silent > SLOW_AFTER or page.deaf > DEAF_SLOW_AFTER:
                self._change()
                if page.silent > GONE_AFTER:
                    gone.append(name)
        for name in gone:
            self._drop(name)
        if hearing and self._expected:
            for part in list(self._expected):
                self._expected[part] += seconds
                if self._expected[part] > EXPECT:
                    del self._expected[part]
                    self._change()

    # -- what is asked ----------------------------------------------------------------

    def known(self) -> Known:
        """Who is seen, and how often; until something changes it is the same object."""
        known = self._known
        if known is None:
            views, expected = self._views.values(), self._expected
            visible = [view for view in views if view.visible]
            unheard = [view for view in views if self._unheard(view)]
            watched = frozenset(view.part for view in (*visible, *unheard)).union(expected)
            known = self._known = Known(
                watched=watched,
                unheard=frozenset(view.part for view in unheard if view.visible).union(expected),
                showing=frozenset(view.page for view in visible),
                rates={part: self._find_rate(part) for part in watched},
                has_new=bool(self._new),
            )
        return known

    def viewing(self, part: str) -> Viewing:
        """How ``part`` is looked at now."""
        viewings = self.known().viewings
        viewing = viewings.get(part)
        if viewing is None:
            viewing = viewings[part] = self._find_viewing(part)
        return viewing

    def suspicious(self) -> bool:
        """Whether it matters now if the kernel can hear: some page owes a word, or may want to say that it looks."""
        return (
            bool(self._expected)
            or any(page.silent + page.deaf > 1.5 for page in self._pages.values())
            or any(self._doubtful(view) for view in self._views.values())
        )

    def doubts(self, parts: Iterable[str]) -> bool:
        """Whether a hidden view of one of ``parts`` may be looked at again without our hearing of it."""
        return any(view.part in parts and self._doubtful(view) for view in self._views.values())

    # -- details ----------------------------------------------------------------------

    def _change(self) -> None:
        self._known = None

    def _find_rate(self, part: str) -> float:
        looked, others = [], []
        for view in self._views.values():
            if view.part != part:
                continue
            page, unheard = self._pages[view.page], self._unheard(view)
            if view.visible and (unheard or not view.away):
                looked.append(min(view.rate, page.patience))
            elif view.visible:
                others.append(AWAY)
            elif unheard:
                others.append(CRAWL if page.deaf > DEAF_SLOW_AFTER else SLOW)
        if part in self._expected:
            looked.append(_MOST)
        if self._busy and looked:
            looked.append(BUSY_RATE)
        # Nobody who looks waits for a view that nobody sees elsewhere.
        return min(looked, default=max(others, default=0.0))

    def _find_viewing(self, part: str) -> Viewing:
        views = [view for view in self._views.values() if view.part == part]
        # Hidden ones alone are sent to while they cannot say that they are not: as finely as they had it.
        widths = [view.width for view in views if view.visible] or [view.width for view in views]
        return Viewing(width=max(widths, default=DEFAULT_WIDTH))

    def _unheard(self, view: View) -> bool:
        return not self._hearing and not self._pages[view.page].beside

    def _doubtful(self, view: View) -> bool:
        return not view.visible and not self._pages[view.page].beside

    def _spoke(self, page: str) -> None:
        known = self._pages.pop(page, None)
        self._pages[page] = _Page(beside=known is not None and known.beside)
        while len(self._pages) > MOST_PAGES:
            self._drop(next(iter(self._pages)))
        self._change()

    def _drop(self, page: str) -> None:
        for view in [view.view for view in self._views.values() if view.page == page]:
            self.bye(view)
        self._pages.pop(page, None)
        self._change()
