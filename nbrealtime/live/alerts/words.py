"""What an alert is called and what it says, from its rule and what happened.

Pure; for ``nbrealtime.live.alerts.alert``.

The rule here: *a sentence stands by itself*: in a callback's output, a log's row and a notification nothing else explains it.
"""

from __future__ import annotations

from nbrealtime.live.alerts.rule import Rule, Step
from nbrealtime.live.samples.payload import VALUE
from nbrealtime.wire.times import format_duration

__all__ = ["condition", "label", "number", "sentence", "threshold"]


def label(topic: str, field: str | None) -> str:
    """Return what a series is called: "lab:temp", "lab:motor rpm"."""
    return topic if field in (None, VALUE) else f"{topic} {field}"


def threshold(rule: Rule) -> str:
    """Return what is beyond, alone: "above 30"."""
    if rule.above is not None and rule.below is not None:
        return f"outside {rule.below:.6g} to {rule.above:.6g}"
    if rule.above is not None:
        return f"above {rule.above:.6g}"
    if rule.below is not None:
        return f"below {rule.below:.6g}"
    return f"silent for {format_duration(rule.stale or 0.0)}"


def condition(rule: Rule) -> str:
    """Return all that is watched for: "above 30 for 10 s, or silent for 5 s"."""
    text = threshold(rule)
    if rule.hold:
        text += f" for {format_duration(rule.hold)}"
    if rule.stale is not None and (rule.above is not None or rule.below is not None):
        text += f", or silent for {format_duration(rule.stale)}"
    return text


def number(value: float, apart_from: float | None = None) -> str:
    """Return ``value`` with four digits, or with as many as tell it from a threshold."""
    text = f"{value:.0f}"
    for digits in (4, 6, 9, 17):
        text = f"{value:.{digits}g}" if not 1e4 <= abs(value) < 1e7 else f"{value:.{digits - 4}f}"
        if apart_from is None or float(text) != apart_from or value == apart_from:
            return text
    return text


def sentence(rule: Rule, name: str | None, series: str, step: Step) -> str:
    """Return what happened: "Too hot: lab:temp is 31.2, above 30 for 10 s"; ``name`` is the one that was given."""
    beyond = {"above": rule.above, "below": rule.below}.get(step.reason)
    value = "" if step.value is None else number(step.value, beyond)
    lasted = format_duration(step.time - step.began)
    if step.reason == "stale" and step.fired:
        said = f"no number from {series} for {format_duration(rule.stale or 0.0)}"
    elif step.reason == "stale":
        said = f"{series} is heard again{f', {value},' if value else ''} after {lasted}"
    elif step.fired:
        said = f"{series} is {value}, {step.reason} {beyond:.6g}{f' for {lasted}' if rule.hold else ''}"
    else:
        said = f"{series} is back at {value} after {lasted}"
    return said if name is None else f"{name}: {said}"
