"""Rule groups and rules as a Prometheus has them.

Source: Prometheus HTTP API, /api/v1/rules.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """An alert that is `pending` or `firing` (state), active since a moment in seconds since the epoch."""

    state: str
    labels: Mapping[str, str]
    since: float


@dataclass(frozen=True, slots=True)
class LoadedRule:
    """A rule as the server has it; durations in milliseconds, `query` as the server prints it.

    `health` is ok, err or unknown (not evaluated yet); `last_evaluation` seconds since the epoch (0: never).
    """

    kind: str  # alerting or recording
    name: str
    query: str
    for_: int
    keep_firing_for: int
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    health: str = "unknown"
    last_error: str = ""
    last_evaluation: float = 0.0
    active: tuple[ActiveAlert, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadedGroup:
    """A rule group as the server has it; `file` is its path as the server sees it, `interval` milliseconds.

    `took` is how long its last evaluation took, in seconds.
    """

    file: str
    name: str
    interval: int
    rules: tuple[LoadedRule, ...]
    took: float = 0.0


def loaded_group(group: Mapping[str, Any]) -> LoadedGroup:
    """A group of the API's answer; KeyError, TypeError, ValueError or AttributeError when it is none."""
    rules = tuple(_rule(rule) for rule in group["rules"])
    return LoadedGroup(str(group["file"]), str(group["name"]), round(float(group["interval"]) * 1000), rules,
                       float(group.get("evaluationTime") or 0))  # fmt: skip


def _rule(rule: Mapping[str, Any]) -> LoadedRule:
    return LoadedRule(
        str(rule["type"]), str(rule["name"]), str(rule["query"]),
        round(float(rule.get("duration") or 0) * 1000), round(float(rule.get("keepFiringFor") or 0) * 1000),
        dict(rule.get("labels") or {}), dict(rule.get("annotations") or {}),
        str(rule.get("health", "unknown")), str(rule.get("lastError") or ""), _moment(rule.get("lastEvaluation")),
        tuple(_active(alert) for alert in rule.get("alerts") or ()),
    )  # fmt: skip


def _active(alert: Mapping[str, Any]) -> ActiveAlert:
    return ActiveAlert(str(alert["state"]), dict(alert["labels"]), _moment(alert.get("activeAt")))


def _moment(text: Any) -> float:
    """Seconds since the epoch of an RFC 3339 time; 0 for Go's zero time and what cannot be read."""
    if not text or str(text).startswith("0001"):
        return 0.0
    try:
        # Nanoseconds are more than Python reads.
        return datetime.datetime.fromisoformat(re.sub(r"(\.\d{1,6})\d*", r"\1", str(text))).timestamp()
    except ValueError:
        return 0.0
