"""Rule groups and rules as a Prometheus has them.

Source: Prometheus HTTP API, /api/v1/rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class LoadedRule:
    """A rule as the server has it; durations in milliseconds, `query` as the server prints it.

    `health` is ok, err or unknown (not evaluated yet).
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


@dataclass(frozen=True, slots=True)
class LoadedGroup:
    """A rule group as the server has it; `file` is its path as the server sees it, `interval` milliseconds."""

    file: str
    name: str
    interval: int
    rules: tuple[LoadedRule, ...]


def loaded_group(group: Mapping[str, Any]) -> LoadedGroup:
    """A group of the API's answer; KeyError, TypeError, ValueError or AttributeError when it is none."""
    rules = tuple(_rule(rule) for rule in group["rules"])
    return LoadedGroup(str(group["file"]), str(group["name"]), round(float(group["interval"]) * 1000), rules)


def _rule(rule: Mapping[str, Any]) -> LoadedRule:
    return LoadedRule(
        str(rule["type"]), str(rule["name"]), str(rule["query"]),
        round(float(rule.get("duration") or 0) * 1000), round(float(rule.get("keepFiringFor") or 0) * 1000),
        dict(rule.get("labels") or {}), dict(rule.get("annotations") or {}),
        str(rule.get("health", "unknown")), str(rule.get("lastError") or ""),
    )  # fmt: skip
