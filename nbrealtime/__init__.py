"""Live data in Jupyter notebooks.

``%load_ext nbrealtime`` and ``%rtserver`` start a server in this kernel;
``rt.subscribe("lab:temp").plot()`` shows what arrives, while other cells run;
``rt.publish("lab:temp", 21.5)`` sends something.

Names are imported when they are first used, so that a program that only
publishes does not wait for the widgets. (The package `widgets` itself imports
its classes in the same way.)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from nbrealtime import errors, widgets

if TYPE_CHECKING:
    from nbrealtime.api import close_all, connect, publish, sensor, status, subscribe, topics
    from nbrealtime.client import Message, Receipt
    from nbrealtime.errors import (
        AddressInUse,
        AmbiguousServer,
        ConnectionClosed,
        ConnectionFailed,
        DecodeError,
        DiscoveryError,
        FrontEndMissing,
        InvalidToken,
        InvalidTopic,
        MessageTooLarge,
        NoServer,
        PublishError,
        PublishTimeout,
        PublishUncertain,
        RealtimeError,
        Refused,
        ServerError,
        StoreError,
        UnknownKey,
        UntrustedServer,
        WireError,
    )
    from nbrealtime.live.alerts.alert import Alert
    from nbrealtime.live.alerts.book import AlertEvent
    from nbrealtime.live.connection import Connection
    from nbrealtime.live.gap import Gap
    from nbrealtime.live.topic import LiveTopic
    from nbrealtime.server import Server, serve
    from nbrealtime.widgets.alerts.log import AlertLog
    from nbrealtime.widgets.badge import ConnectionBadge
    from nbrealtime.widgets.dashboard import Dashboard
    from nbrealtime.widgets.heatmaps.heatmap import LiveHeatmap
    from nbrealtime.widgets.heatmaps.spectrogram import Spectrogram
    from nbrealtime.widgets.messages.log import MessageLog
    from nbrealtime.widgets.messages.table import LiveTable
    from nbrealtime.widgets.plots.plot import LivePlot
    from nbrealtime.widgets.presence import PresenceBar
    from nbrealtime.widgets.publish import PublishBox
    from nbrealtime.widgets.readings.gauge import Gauge
    from nbrealtime.widgets.readings.tile import StatTile

__version__ = "0.1.0"

_HOMES: Final = {
    "nbrealtime.api": ("close_all", "connect", "publish", "sensor", "status", "subscribe", "topics"),
    "nbrealtime.client": ("Message", "Receipt"),
    "nbrealtime.errors": errors.__all__,
    "nbrealtime.live.alerts.alert": ("Alert",),
    "nbrealtime.live.alerts.book": ("AlertEvent",),
    "nbrealtime.live.connection": ("Connection",),
    "nbrealtime.live.gap": ("Gap",),
    "nbrealtime.live.topic": ("LiveTopic",),
    "nbrealtime.server": ("Server", "serve"),
    "nbrealtime.widgets": widgets.__all__,
}
_home_of: Final = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AddressInUse",
    "Alert",
    "AlertEvent",
    "AlertLog",
    "AmbiguousServer",
    "Connection",
    "ConnectionBadge",
    "ConnectionClosed",
    "ConnectionFailed",
    "Dashboard",
    "DecodeError",
    "DiscoveryError",
    "FrontEndMissing",
    "Gap",
    "Gauge",
    "InvalidToken",
    "InvalidTopic",
    "LiveHeatmap",
    "LivePlot",
    "LiveTable",
    "LiveTopic",
    "Message",
    "MessageLog",
    "MessageTooLarge",
    "NoServer",
    "PresenceBar",
    "PublishBox",
    "PublishError",
    "PublishTimeout",
    "PublishUncertain",
    "RealtimeError",
    "Receipt",
    "Refused",
    "Server",
    "ServerError",
    "Spectrogram",
    "StatTile",
    "StoreError",
    "UnknownKey",
    "UntrustedServer",
    "WireError",
    "__version__",
    "close_all",
    "connect",
    "publish",
    "sensor",
    "serve",
    "status",
    "subscribe",
    "topics",
]


def __getattr__(name: str) -> Any:
    home = _home_of.get(name)
    if home is None:
        raise AttributeError(f"module 'nbrealtime' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(shell: Any) -> None:
    """Called by ``%load_ext nbrealtime``: registers ``%rtserver``."""
    from nbrealtime import magics

    magics.load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Called by ``%unload_ext nbrealtime``: closes everything that runs and removes the magic."""
    from nbrealtime import magics

    magics.unload(shell)
