"""What people see: plots, cards, badges, and the one pump that feeds them.

Every widget class is a face of a `LiveTopic` or a `Connection` and draws in the
browser; its data never travel in synced traits but through `pump`, and its front end
is one bundle of ``nbrealtime/static`` (`bundle`).

The one rule: widgets are created and closed on the main thread; everything that happens
between is the pump's.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from nbrealtime.live.views import provide

# Where each public widget lives, and the view that it is for a topic or a connection. Loaded on first
# use: a badge should not wait for what plots need.
_CLASSES: Final = {
    "AlertLog": "alerts.log",
    "ConnectionBadge": "badge",
    "Dashboard": "dashboard",
    "Gauge": "readings.gauge",
    "LiveHeatmap": "heatmaps.heatmap",
    "LivePlot": "plots.plot",
    "LiveTable": "messages.table",
    "MessageLog": "messages.log",
    "PresenceBar": "presence",
    "PublishBox": "publish",
    "Spectrogram": "heatmaps.spectrogram",
    "StatTile": "readings.tile",
}
_VIEWS: Final = {
    "gauge": ("readings.gauge", "gauge"),
    "heatmap": ("heatmaps.heatmap", "heatmap"),
    "plot": ("plots.plot", "plot"),
    "card": ("card", "card"),
    "log": ("messages.log", "log"),
    "spectrogram": ("heatmaps.spectrogram", "spectrogram"),
    "table": ("messages.table", "table"),
    "tile": ("readings.tile", "tile"),
}

__all__ = [
    "AlertLog",
    "ConnectionBadge",
    "Dashboard",
    "Gauge",
    "LiveHeatmap",
    "LivePlot",
    "LiveTable",
    "MessageLog",
    "PresenceBar",
    "PublishBox",
    "Spectrogram",
    "StatTile",
]


def __getattr__(name: str) -> Any:
    if name not in _CLASSES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_CLASSES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _factory(module: str, function: str) -> Any:
    def make(subject: Any, /, *args: Any, **options: Any) -> Any:
        return getattr(import_module(f".{module}", __name__), function)(subject, *args, **options)

    return make


for _name, (_module, _function) in _VIEWS.items():
    provide(_name, _factory(_module, _function))
