"""`Dashboard`: widgets in a grid that has as many columns as there is room for.

Collaborators: none of ours. It is made of ipywidgets' own boxes and CSS grid, so that it works in every
host that shows widgets, around any widget.

The one rule: it owns the boxes and not what is in them. Closing it closes no plot, and no item's own
layout is touched.
"""

from __future__ import annotations

import base64
import html
import math
import uuid
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Self

import anywidget
import ipywidgets

from nbrealtime.live import cells
from nbrealtime.options import given, number, text
from nbrealtime.widgets.panel import Panel
from nbrealtime.widgets.plots.plot import LivePlot
from nbrealtime.widgets.pump import pump
from nbrealtime.widgets.saved.dashboard import (
    WIDTH,
    Cell,
    Maker,
    Placed,
    arrange,
    line,
    line_of,
    scenes_of,
    write_png,
    write_svg,
)
from nbrealtime.widgets.saved.kept import Kept
from nbrealtime.widgets.saved.plot import Pictured
from nbrealtime.widgets.saved.shown import Bundle

__all__ = ["Dashboard"]

GAP: Final = 16
MOST_COLUMNS: Final = 12
_TEXT: Final = (
    "color:var(--jp-content-font-color1,var(--vscode-editor-foreground,inherit));"
    "font-family:var(--jp-ui-font-family,var(--vscode-font-family,system-ui,sans-serif));font-weight:600;overflow-wrap:anywhere"
)


class Dashboard(Kept, ipywidgets.VBox):  # type: ignore[misc]
    """Arranges widgets in a grid: up to ``columns`` beside each other, fewer where it is narrow, one on a phone.

        rt.Dashboard([temp.plot(), cpu.gauge(), [cpu.tile(), mem.tile()]], columns=3, spans={0: 2})

    Items stand in the order given, which is also the keyboard's. A list among them is a stack: one cell, its
    members below each other. `close` leaves a picture of it and every item as it is; a dashboard that a cell
    made goes when that cell runs again.

    Args:
        items: widgets, and lists of widgets; ours or any other.
        columns: how many at most, 1 to 12.
        title: a line above the grid.
        spans: how many columns an item is wide, by its place in ``items`` or by the widget; where there are
            fewer it takes them all. ``"all"`` always does.
        titles: lines above items, likewise.
        min_width: what a column needs, CSS pixels, 120 to 2,000; there are as many columns as have it.

    Raises:
        TypeError: an item is no widget, or a stack in a stack.
        ValueError: a number is out of its range, or ``spans`` or ``titles`` name what is not there.
    """

    def __init__(
        self,
        items: Any = (),
        *,
        columns: int = 3,
        title: str = "",
        spans: Mapping[Any, int | str] | None = None,
        titles: Mapping[Any, str] | None = None,
        min_width: int = 280,
    ) -> None:
        cell = cells.current_cell()
        if isinstance(items, ipywidgets.Widget):
            items = [items]
        if not isinstance(items, Iterable) or isinstance(items, (str, bytes, Mapping)):
            raise TypeError(
                f"a dashboard's items are a list of widgets, like [temp.plot()], not {given(items)}"
            )
        stacks = [_stack(item) for item in items]
        if type(columns) is not int or not 1 <= columns <= MOST_COLUMNS:
            raise ValueError(f"a dashboard has 1 to {MOST_COLUMNS} columns, not {columns!r}")
        min_width = int(number("min_width", min_width, "between 120 and 2,000 pixels", 120, 2000))
        text("title", title)
        width = {at: _span(one) for at, one in _by_place(spans, stacks, "spans").items()}
        above = {at: text("a title", one) for at, one in _by_place(titles, stacks, "titles").items()}
        self._columns = columns
        self._min_width = min_width
        # A class of its own: the style sheet below speaks about this dashboard and no other.
        self._name = f"nbrt-dashboard-{uuid.uuid4().hex[:8]}"
        self._stacks = stacks
        self._title = title
        self._spans = [width.get(at, 1) for at in range(len(stacks))]
        self._above = [above.get(at, "") for at in range(len(stacks))]
        # A style sheet applies also where it is not displayed.
        shown = {"margin": "0"} if title else {"display": "none"}
        head = ipywidgets.HTML(
            self._style() + _heading("nbrt-dashboard-title", 3, title), layout=ipywidgets.Layout(**shown)
        )
        cells_of_it = [self._cell(one, width.get(at, 1), above.get(at, "")) for at, one in enumerate(stacks)]
        self._grid = ipywidgets.GridBox(cells_of_it, layout=self._layout())
        self._grid.add_class(self._name)
        self._owned = [head, self._grid]
        super().__init__([head, self._grid], layout=_box(width="100%", min_width="0"))
        self.add_class("nbrt-dashboard")
        # Without a picture: the cell that runs again clears the output.
        self._disown = cells.own(cell, self._close)

    @property
    def _speaks(self) -> bool:  # type: ignore[override]
        # Of sliders and buttons alone no page says anything to us.
        return any(isinstance(one, Panel | LivePlot) for one in _all(self._stacks))

    @property
    def items(self) -> list[Any]:
        """What it shows, in order; stacks as lists."""
        return [list(one) if len(one) > 1 else one[0] for one in self._stacks]

    def add(self, item: Any, *, span: int | str = 1, title: str = "") -> Any:
        """Adds a widget, or a list of widgets as a stack, at the end; returns it."""
        stack = _stack(item)
        made = self._cell(stack, _span(span), text("title", title))
        self._stacks = [*self._stacks, stack]
        self._spans.append(_span(span))
        self._above.append(title)
        self._grid.children = [*self._grid.children, made]
        return item

    def remove(self, item: Any) -> None:
        """Takes an item out, and leaves it as it is. Of a stack any member names it whole.

        Raises:
            ValueError: it is not there.
        """
        place = _place_of(item, self._stacks)
        if place is None:
            raise ValueError(f"the dashboard does not show {item!r}")
        gone = self._grid.children[place]
        del self._spans[place], self._above[place]
        self._stacks = [one for at, one in enumerate(self._stacks) if at != place]
        self._grid.children = [one for one in self._grid.children if one is not gone]
        self._let_go(*gone.own, gone)

    def close(self) -> None:
        """Leaves a picture of the grid. What it showed stays open, and can be shown elsewhere. Harmless when repeated."""
        if "_disown" not in self.__dict__:
            return  # `__init__` refused its arguments; ipywidgets closes what Python deletes
        if not self._over:
            self._leave()
        self._close()

    def freeze(self) -> None:
        """Puts a picture of the grid in the place of its outputs, where it stays when the kernel is gone.

        It goes on unseen: leave it as the last expression of a cell to see it again.
        """
        self._leave()

    def to_svg(self) -> str:
        """Returns what it shows now as an SVG document, drawn by the kernel."""
        return write_svg(*self._arranged(), repr(self))

    def to_png(self) -> bytes:
        """Returns what it shows now as a PNG file, two pixels for each CSS pixel."""
        return write_png(*self._arranged())

    def _close(self) -> None:
        self._over = True
        self._disown()
        self._shown = None
        for one in self._grid.children:
            self._let_go(*one.own, one)
        self._let_go(*self._owned)
        self._owned.clear()
        self.layout.close()
        super().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        shown = [type(one).__name__ for stack in self._stacks for one in stack]
        columns = f"{self._columns} column{'' if self._columns == 1 else 's'}"
        return f"Dashboard of {', '.join(shown) or 'nothing yet'} in up to {columns}"

    def _left(self) -> Bundle:
        placed, height = self._arranged()
        png = write_png(placed, height)
        data = {
            "image/svg+xml": write_svg(placed, height, repr(self)),
            "image/png": base64.b64encode(png).decode("ascii"),
            "text/plain": self._words(),
        }
        return data, {"image/png": {"width": WIDTH, "height": height}}

    def _mark_of_left(self) -> Hashable:
        # And not the picture, which says what time it is.
        return tuple(
            one._mark_of_left() if isinstance(one, Pictured) else str(line_of(one))
            for one in _all(self._stacks)
        )

    def _arranged(self) -> tuple[list[Placed], int]:
        shown = [
            Cell(span, [*_titled(above, 13), *(maker for one in stack for maker in scenes_of(one))])
            for stack, span, above in zip(self._stacks, self._spans, self._above, strict=True)
        ]
        placed = [Placed(0, 0, make(WIDTH)) for make in _titled(self._title, 16)]
        top = sum(one.scene.height for one in placed)
        inside, end = arrange(shown, self._columns, GAP, top=top)
        return [*placed, *inside], max(32, math.ceil(end))

    def _words(self) -> str:
        shown = [repr(one) for stack in self._stacks for one in stack]
        return "\n".join([repr(self), *(f"  {one}" for one in shown)])

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        # What is displayed by itself tells the pump; what is in a box is displayed by nobody but the box.
        for one in _all(self._stacks):
            if isinstance(one, Panel | LivePlot):
                pump().expect(one._stream)
        data: Any = super()._repr_mimebundle_(**kwargs)
        # What is left where no widget can be shown.
        data = {**data, "text/plain": self._words()}
        metadata = self._for_colab()
        return (data, metadata) if metadata else data

    def _for_colab(self) -> dict[str, Any]:
        """What Colab wants to know of an output with widgets that are not ipywidgets' own.

        anywidget says it of each of its widgets, and ipywidgets' boxes do not say it of what is in them. Colab's own
        hook would, but sees only what is the result of a cell.
        """
        for one in _all(self._stacks):
            if isinstance(one, anywidget.AnyWidget):
                bundle = anywidget.AnyWidget._repr_mimebundle_(one)
                return bundle[1] if isinstance(bundle, tuple) else {}
        return {}

    # -- boxes -----------------------------------------------------------------------

    def _let_go(self, *boxes: Any) -> None:
        for one in boxes:
            # A layout and a style are widgets, too, and go with nobody.
            for part in (one.layout, getattr(one, "style", None), one):
                if part is not None:
                    part.close()

    def _layout(self) -> ipywidgets.Layout:
        between = GAP * (self._columns - 1)
        share = f"calc((100% - {between}px) / {self._columns})"
        # As many columns as have their least width and no more than `columns`; one that is wider than the
        # screen is the screen.
        least = f"max(min(100%, {self._min_width}px), {share})"
        return _box(
            width="100%",
            grid_template_columns=f"repeat(auto-fit, minmax({least}, 1fr))",
            grid_gap=f"{GAP}px",
            align_items="stretch",
        )

    def _cell(self, stack: Sequence[Any], span: int, title: str) -> _Cell:
        whole = span > 1 and span >= self._columns
        head = []
        if title:
            layout = ipywidgets.Layout(margin="0")
            head = [ipywidgets.HTML(_heading("nbrt-dashboard-heading", 4, title), layout=layout)]
        # Not `grid_column`: the front end takes away the `grid-area` that is not set, and the column with it.
        layout = _box(min_width="0", grid_area="auto / 1 / auto / -1" if whole else f"auto / span {span}")
        made = _Cell([*head, *stack], layout=layout)
        made.own = head
        made.add_class("nbrt-dashboard-cell")
        if not whole and span != 1:
            made.add_class(f"nbrt-span-{span}")
        return made

    def _style(self) -> str:
        grid = f".{self._name}"
        rules = [
            f"{grid}{{container-type:inline-size}}",
            f"{grid}>.nbrt-dashboard-cell{{gap:{GAP // 2}px;margin:0}}",
            # The last of a stack fills the row, so that cells beside each other end at one line.
            f"{grid}>.nbrt-dashboard-cell>:last-child{{flex:1 1 auto}}",
            # Tiles and gauges grow in the element that their host gives them; a plot has a height of its own.
            f"{grid} :is(.nbrt-tile,.nbrt-gauge){{box-sizing:border-box;height:100%}}",
            f"{grid} :has(>.nbrt-tile),{grid} :has(>.nbrt-gauge){{display:grid}}",
            # A host marks what has lost its kernel by a sign in front, which a grid takes for one item more: all others
            # would move on by a place. The items say themselves how they stand; what is no panel of ours keeps its sign.
            f":is(.nbrt-dashboard,.nbrt-dashboard>*,{grid}>*).jupyter-widgets-disconnected::before{{content:none}}",
            f".nbrt-dashboard-title,.nbrt-dashboard-heading{{{_TEXT}}}",
            ".nbrt-dashboard-title{padding:4px 0 8px;font-size:16px;line-height:24px}",
            ".nbrt-dashboard-heading{font-size:13px;line-height:20px}",
        ]
        for span in range(2, self._columns):
            # A span that does not fit would make a column of its own beside the screen.
            least = span * self._min_width + (span - 1) * GAP
            rules.append(
                f"@container (max-width:{least - 0.02}px)"
                f"{{{grid}>.nbrt-span-{span}{{grid-column:1/-1!important}}}}"
            )
        return f"<style>{''.join(rules)}</style>"


class _Cell(ipywidgets.VBox):  # type: ignore[misc]
    """A place in the grid. ``own`` is what in it is the dashboard's: its title."""

    own: Sequence[Any] = ()


def _box(**options: Any) -> ipywidgets.Layout:
    # `widget-box` scrolls by itself, and would cut focus rings and tooltips off.
    return ipywidgets.Layout(overflow="visible", **options)


def _heading(name: str, level: int, text: str) -> str:
    if not text:
        return ""
    return f'<div class="{name}" role="heading" aria-level="{level}">{html.escape(str(text))}</div>'


def _titled(text: str, size: float) -> list[Maker]:
    return [lambda width: line(text, width, size=size, color="text", bold=True)] if text else []


def _span(span: int | str) -> int:
    if span == "all":
        return MOST_COLUMNS
    if type(span) is not int or not 1 <= span <= MOST_COLUMNS:
        raise ValueError(f"a span is 1 to {MOST_COLUMNS} columns or 'all', not {span!r}")
    return span


def _stack(item: Any) -> tuple[Any, ...]:
    """An item as the widgets of its cell."""
    members = tuple(item) if isinstance(item, (list, tuple)) else (item,)
    for one in members:
        if not isinstance(one, ipywidgets.DOMWidget):
            hint = ": show a topic by .plot(), .tile() or .gauge()" if hasattr(one, "feed") else ""
            raise TypeError(f"a dashboard arranges widgets and lists of them, not {type(one).__name__}{hint}")
    if not members:
        raise TypeError("a stack in a dashboard has at least one widget")
    return members


def _all(stacks: Iterable[Any]) -> Iterator[Any]:
    """Every widget in stacks, also those in boxes."""
    for one in stacks:
        if isinstance(one, (list, tuple)):
            yield from _all(one)
        else:
            yield one
            yield from _all(getattr(one, "children", ()))


def _place_of(item: Any, stacks: Sequence[Sequence[Any]]) -> int | None:
    wanted = item[0] if isinstance(item, (list, tuple)) and item else item
    return next((at for at, one in enumerate(stacks) if any(wanted is member for member in one)), None)


def _by_place(
    mapping: Mapping[Any, Any] | None, stacks: Sequence[Sequence[Any]], what: str
) -> dict[int, Any]:
    found: dict[int, Any] = {}
    if mapping is not None and not isinstance(mapping, Mapping):
        raise TypeError(
            f"{what} is a mapping from an item, or its place, like {{0: …}}, not {given(mapping)}"
        )
    for key, value in (mapping or {}).items():
        place = key if type(key) is int else _place_of(key, stacks)
        if place is None or not -len(stacks) <= place < len(stacks):
            raise ValueError(f"{what} names {key!r}, and no item is that; there are {len(stacks)}")
        found[place % len(stacks)] = value
    return found
