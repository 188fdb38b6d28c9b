"""The alerts of a project as label sets that can be routed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from alertkit.compile.routing import Matcher, Routable
from alertkit.compile.ruleset import System
from alertkit.routing.router import test


@dataclass(frozen=True, slots=True)
class Situation:
    """One level of an alert, firing. `labels` are the known ones; of those in `free` only the names are known.

    `open`: it may have any further label.
    """

    alert: Routable
    labels: dict[str, str]
    free: frozenset[str]
    open: bool

    @property
    def severity(self) -> str:
        return self.labels.get("severity", "")

    def possible(self, matchers: Iterable[Matcher]) -> bool:
        """Whether some value of the unknown labels lets all matchers hold."""
        for matcher in matchers:
            if matcher.label in self.free or (self.open and matcher.label not in self.labels):
                continue
            if not test(matcher)(self.labels.get(matcher.label, "")):
                return False
        return True


def routables(systems: Iterable[System]) -> list[Routable]:
    """What routing needs of compiled systems."""
    found = []
    for system in systems:
        for alert in system.alerts:
            levels = tuple(
                {"alertname": rule.alert, "system": system.name, "team": system.team, **dict(rule.labels)}
                for rule in alert.rules
            )
            found.append(Routable(
                alert.name, alert.system, levels, alert.identity, alert.span, alert.unless, alert.notify,
                alert.active, alert.companion, alert.heartbeat, alert.mute, alert.variables,
            ))  # fmt: skip
    return found


def situations(alerts: Sequence[Routable]) -> list[Situation]:
    """All levels of all alerts, mildest first."""
    found = []
    for alert in alerts:
        for level in alert.levels:
            known = {name: value for name, value in level.items() if value and "{{" not in value}
            free = {name for name, value in level.items() if "{{" in value} | set(alert.identity or ())
            found.append(Situation(alert, known, frozenset(free - set(known)), alert.identity is None))
    return found
