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
    "channel": ("notify",), "schedule": ("active",), "calendar": ("active",),
    "silence": ("mute",), "disabled": ("enabled",), "disable": ("enabled",), "depends_on": ("unless",),
    "inhibit": ("unless",), "inhibited_by": ("unless",), "foreach": ("for_each",), "matrix": ("for_each",),
    "no_data": ("missing",), "nodata": ("missing",), "absent": ("missing",), "link": ("runbook", "dashboard"),
    "source": ("when",), "target": ("mutes",), "source_matchers": ("when",), "target_matchers": ("mutes",),
    "api_url_file": ("webhook_file",), "api_url": ("webhook_file",), "webhook_url": ("webhook_file", "url_file"),
    "service_key_file": ("routing_key_file",), "service_key": ("routing_key_file",), "smtp_smarthost": ("smarthost",),
    "slack_configs": ("slack",), "pagerduty_configs": ("pagerduty",), "webhook_configs": ("webhook",),
    "email_configs": ("email",), "opsgenie_configs": ("opsgenie",), "teams": ("msteams",), "days": ("weekdays",),
    "market": ("exchange",), "location": ("timezone",), "tz": ("timezone",), "hours": ("times", "active"),
    "repeat_interval": ("repeat",), "group_interval": ("group_wait",), "matches": ("match",),
    "inhibit_rules": ("inhibit",), "time_intervals": ("calendars",), "mute_time_intervals": ("calendars", "mute"),
}  # fmt: skip


def meant(word: str, known: Collection[str]) -> str | None:
    """The key of `known` that `word` means elsewhere, or None."""
    return next((key for key in _MEANT.get(word.lower(), ()) if key in known), None)


def longer(word: str, known: Collection[str]) -> str | None:
    """The key of `known` of which `word` is a longer form elsewhere: surer than another one that looks like it."""
    key = meant(word, known)
    return key if key and word.lower().startswith(f"{key}_") else None
