"""A dashboard arranges widgets that are not its own."""

from __future__ import annotations

import sys
import types

import ipywidgets
import pytest
from ipywidgets.widgets.widget import _instances

from nbrealtime.widgets import Dashboard, Gauge, LivePlot, StatTile
from nbrealtime.widgets.pump import pump
from nbrealtime.widgets.saved.shown import WIDGET

pytestmark = pytest.mark.usefixtures("comms")


@pytest.fixture
def button():
    return ipywidgets.Button(description="Go")


def cells_of(dashboard):
    return dashboard._grid.children


def style(dashboard):
    return dashboard.children[0].value


def is_open(widget):
    return widget.comm is not None


def test_items_stand_in_their_order_and_a_list_is_a_stack(topic, button):
    tile, gauge = StatTile(topic), Gauge(topic)
    slider = ipywidgets.FloatSlider()
    dashboard = Dashboard([tile, button, [gauge, slider]], columns=2)
    assert [cell.children for cell in cells_of(dashboard)] == [(tile,), (button,), (gauge, slider)]
    assert dashboard.items == [tile, button, [gauge, slider]]
    assert repr(dashboard) == "Dashboard of StatTile, Button, Gauge, FloatSlider in up to 2 columns"
    assert repr(Dashboard()) == "Dashboard of nothing yet in up to 3 columns"


def test_it_has_as_many_columns_as_have_room_and_one_on_a_phone(button):
    columns = Dashboard([button], columns=3, min_width=240)._grid.layout.grid_template_columns
    assert columns == "repeat(auto-fit, minmax(max(min(100%, 240px), calc((100% - 32px) / 3)), 1fr))"


def test_an_item_spans_columns_where_there_are_so_many(button):
    others = [ipywidgets.Button() for _ in range(3)]
    dashboard = Dashboard([button, *others], columns=3, spans={0: 2, others[0]: "all", -1: 5}, min_width=280)
    assert [cell.layout.grid_area for cell in cells_of(dashboard)] == [
        "auto / span 2",
        "auto / 1 / auto / -1",
        "auto / span 1",
        "auto / 1 / auto / -1",
    ]
    assert "@container (max-width:575.98px)" in style(dashboard)
    assert "nbrt-span-2" in cells_of(dashboard)[0]._dom_classes
    assert [cell.layout.grid_area for cell in cells_of(Dashboard([button], columns=1, spans={0: 2}))] == [
        "auto / 1 / auto / -1"
    ]


def test_titles_are_text(button):
    dashboard = Dashboard([button], title="<b>Lab & co</b>", titles={button: "A <i>"})
    assert "&lt;b&gt;Lab &amp; co&lt;/b&gt;" in style(dashboard)
    assert "A &lt;i&gt;" in cells_of(dashboard)[0].children[0].value
    assert dashboard.items == [button]


def test_items_come_and_go(button):
    other = ipywidgets.Button()
    dashboard = Dashboard([button])
    assert dashboard.add(other, span=2, title="Second") is other
    cell = cells_of(dashboard)[1]
    assert cell.layout.grid_area == "auto / span 2"
    dashboard.remove(other)
    assert (dashboard.items, is_open(cell), is_open(other)) == ([button], False, True)
    with pytest.raises(ValueError, match="does not show"):
        dashboard.remove(other)


def test_closing_it_closes_what_is_its_own_and_nothing_else(topic, button):
    tile = StatTile(topic)
    inner = ipywidgets.HBox([button])
    before = set(_instances)
    dashboard = Dashboard([tile, [button]], title="Lab", titles={0: "One", 1: "Two"}, spans={1: 2})
    dashboard.add(inner, title="Three")
    dashboard.close()
    dashboard.close()
    assert (is_open(tile), is_open(button), tile.state) == (True, True, "empty")
    assert set(_instances) == before
    assert topic.feed.watched


def test_its_cell_takes_it_away_when_it_runs_again(button, monkeypatch):
    owned = []
    monkeypatch.setattr("nbrealtime.live.cells.current_cell", lambda: "a")
    monkeypatch.setattr(
        "nbrealtime.live.cells.own", lambda cell, close: owned.append((cell, close)) or (lambda: None)
    )
    dashboard = Dashboard([button])
    [(cell, close)] = owned
    close()
    assert (cell, is_open(dashboard), is_open(button)) == ("a", False, True)


def test_colab_learns_that_a_dashboard_needs_the_manager_of_custom_widgets(topic, button, monkeypatch):
    colab = types.ModuleType("google.colab.output")
    colab.enable_custom_widget_manager = lambda: None
    colab._widgets = types.SimpleNamespace(_installed_url="https://example.org/manager.js")
    dashboard = Dashboard([button, StatTile(topic)])
    assert isinstance(dashboard._repr_mimebundle_(), dict)
    monkeypatch.setitem(sys.modules, "google.colab.output", colab)
    data, metadata = dashboard._repr_mimebundle_()
    assert metadata == {
        WIDGET: {"colab": {"custom_widget_manager": {"url": "https://example.org/manager.js"}}}
    }
    assert WIDGET in data
    assert isinstance(Dashboard([button])._repr_mimebundle_(), dict)


def test_showing_it_has_the_pump_expect_what_is_in_it(topic, button, monkeypatch):
    expected = []
    plot, tile = LivePlot(topic), StatTile(topic)
    dashboard = Dashboard([plot, ipywidgets.VBox([tile, button])])
    monkeypatch.setattr(pump(), "expect", lambda part: expected.append(part))
    bundle = dashboard._repr_mimebundle_()
    assert expected == [plot._stream, tile._stream]
    assert bundle["text/plain"].splitlines()[:2] == [repr(dashboard), f"  {plot!r}"]


def test_what_it_cannot_arrange_is_refused_with_what_it_can(topic, button):
    for bad in (42, "x", [button, [button]], []):
        with pytest.raises(TypeError, match=r"arranges widgets|at least one"):
            Dashboard([bad])
    with pytest.raises(TypeError, match=r"show a topic by .plot\(\)"):
        Dashboard([topic])
    for bad in ({"columns": 0}, {"columns": 13}, {"columns": 2.5}, {"min_width": 100}):
        with pytest.raises(ValueError, match=r"1 to 12 columns|min_width"):
            Dashboard([button], **bad)
    for bad in ({"spans": {0: 0}}, {"spans": {0: "wide"}}, {"spans": {1: 2}}, {"titles": {topic.name: "x"}}):
        with pytest.raises(ValueError, match=r"a span is|no item is that"):
            Dashboard([button], **bad)


def test_its_picture_has_every_item_where_the_grid_has_it(topic, button):
    topic.hear(21.5)
    slider = ipywidgets.FloatSlider(description="Set <point>", value=2.5)
    plot, tile = LivePlot(topic), StatTile(topic, title="Lab")
    dashboard = Dashboard(
        [plot, [tile, ipywidgets.HBox([slider])], button],
        columns=3,
        title="The lab",
        spans={0: 2},
        titles={plot: "Trace"},
    )
    svg = dashboard.to_svg()
    assert all(
        f">{words}<" in svg for words in ("The lab", "Trace", "Lab", "21.5", "Set &lt;point&gt;: 2.5", "Go")
    )
    assert svg.count("height:auto") == 1
    placed, _height = dashboard._arranged()
    title, heading, drawn, told, line, last = placed
    assert (title.y, heading.y, drawn.x, told.x) == (0, 32, 0, pytest.approx(650.67, abs=0.1))
    assert drawn.y == heading.y + heading.scene.height + 8
    assert (told.y, line.x, line.y) == (32, told.x, told.y + told.scene.height + 8)
    # The next row begins below the higher of the two.
    assert (last.x, last.y) == (0, drawn.y + drawn.scene.height + 16)
    assert dashboard.to_png()[:4] == b"\x89PNG"


def test_a_picture_is_left_where_it_was_shown_and_not_made_again_for_nothing(topic, monkeypatch):
    tile = StatTile(topic)
    dashboard = Dashboard([tile])
    kept = []
    shown = type(
        "Shown", (), {"anywhere": True, "replace": lambda _self, bundle, for_good: kept.append(for_good)}
    )
    monkeypatch.setattr(dashboard, "_shown", shown(), raising=False)
    dashboard._refresh_left()
    dashboard._refresh_left()
    topic.hear(1)
    dashboard._refresh_left()
    dashboard.close()
    dashboard.close()
    assert kept == [False, False, True]
