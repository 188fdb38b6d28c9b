"""Words from other tools, and everyday ones, for what the spec language calls otherwise."""

from __future__ import annotations

from collections.abc import Collection

# Word -> keys that may be meant; the first one that there is at that place is offered.
_MEANT = {
    "alert": ("alerts",), "rules": ("alerts",), "groups": ("alerts",), "name": ("system",), "service": ("system",),
    "query": ("expr", "metric", "counter"), "promql": ("expr", "metric"), "expression": ("expr",),
    "series": ("metric", "counter"), "gauge": ("metric",), "metric": ("counter", "gauge"), "counter": ("metric",),
    "duration": ("for",), "pending": ("for",), "wait": ("for",), "for_duration": ("for",), "hold": ("for",),
    "period": ("window", "for"), "range": ("window",), "interval": ("window",), "lookback": ("window",),
    "level": ("severity",), "priority": ("severity",), "sev": ("severity",), "severities": ("severity",),
    "group_by": ("by",), "per": ("by",), "identity": ("by",), "dimensions": ("by",),
    "match": ("where",), "matchers": ("where",), "selector": ("where",), "filter": ("where",), "matcher": ("where",),
    "message": ("summary",), "text": ("summary",), "title": ("summary",), "msg": ("summary",),
    "threshold": ("above", "open"), "value": ("above", "equals"), "limit": ("above",), "gt": ("above",),
    "greater_than": ("above",), "more_than": ("above",), "over": ("above",), "max": ("above",), "lt": ("below",),
    "less_than": ("below",), "under": ("below",), "min": ("below",), "ge": ("at_least",), "gte": ("at_least",),
    "le": ("at_most",), "lte": ("at_most",), "eq": ("equals",), "equal": ("equals",), "is": ("equals",),
    "ne": ("not_equals",), "neq": ("not_equals",), "hysteresis": ("clear",), "resolve": ("clear",),
    "recover": ("clear",), "reset": ("clear",),
    "receiver": ("notify", "to"), "receivers": ("notify", "to"), "route": ("notify", "routes"), "send_to": ("notify",),
    "channel": ("notify",), "schedule": ("active",), "calendar": ("active",), "hours": ("active",),
    "silence": ("mute",), "disabled": ("enabled",), "disable": ("enabled",), "depends_on": ("unless",),
    "inhibit": ("unless",), "inhibited_by": ("unless",), "foreach": ("for_each",), "matrix": ("for_each",),
    "no_data": ("missing",), "nodata": ("missing",), "absent": ("missing",), "link": ("runbook", "dashboard"),
    "repeat_interval": ("repeat",), "group_interval": ("group_wait",), "matches": ("match",),
    "inhibit_rules": ("inhibit",), "time_intervals": ("calendars",), "mute_time_intervals": ("calendars", "mute"),
}  # fmt: skip


def meant(word: str, known: Collection[str]) -> str | None:
    """The key of `known` that `word` means elsewhere, or None."""
    return next((key for key in _MEANT.get(word.lower(), ()) if key in known), None)
