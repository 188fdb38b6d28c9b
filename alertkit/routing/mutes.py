"""What mutes an alert: inhibition by others that fire, and the calendars of its routes.

Source: Alertmanager, inhibit/inhibit.go (an alert that fits both sides of a rule is muted only by sources that do not
fit its target side); notify/notify.go, TimeActiveStage and TimeMuteStage.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from alertkit.compile.routing import InhibitRule, Matcher, Routing
from alertkit.routing.clock import contains, edges
from alertkit.routing.router import Labels, Node, Test, test


@dataclass(frozen=True, slots=True)
class Muted:
    """A rule that mutes an alert, and the alert that makes it do so."""

    rule: InhibitRule
    source: Labels


class Inhibitor:
    """The inhibition rules of a routing, ready for many questions."""

    def __init__(self, rules: Sequence[InhibitRule]) -> None:
        self._rules = [(rule, _tests(rule.source), _tests(rule.target)) for rule in rules]
        # Most rules name one system; the others are under None.
        self._by_system: dict[str | None, list[int]] = {}
        for index, rule in enumerate(rules):
            named = next((m.value for m in rule.target if m.label == "system" and m.op == "="), None)
            self._by_system.setdefault(named, []).append(index)

    def _candidates(self, labels: Labels) -> Iterable[int]:
        mine = self._by_system.get(labels.get("system", ""), []) if "system" in labels else []
        return sorted([*mine, *self._by_system.get(None, [])])

    def muted(self, labels: Labels, firing: Iterable[Labels]) -> Muted | None:
        """The first rule that mutes an alert while all of `firing` fire; None when it is not muted."""
        others = list(firing)
        for index in self._candidates(labels):
            rule, source, target = self._rules[index]
            if not _hold(target, labels):
                continue
            double = _hold(source, labels)
            for other in others:
                if not _hold(source, other) or (double and _hold(target, other)):
                    continue
                if all(labels.get(name, "") == other.get(name, "") for name in rule.equal):
                    return Muted(rule, other)
        return None

    def possible(self, labels: Labels) -> list[InhibitRule]:
        """The rules that would mute an alert with these labels if something fired."""
        return [self._rules[index][0] for index in self._candidates(labels) if _hold(self._rules[index][2], labels)]


def _tests(matchers: Sequence[Matcher]) -> list[tuple[str, Test]]:
    return [(matcher.label, test(matcher)) for matcher in matchers]


def _hold(tests: Sequence[tuple[str, Test]], labels: Labels) -> bool:
    return all(holds(labels.get(label, "")) for label, holds in tests)


class Calendar:
    """The time intervals of a routing."""

    def __init__(self, routing: Routing) -> None:
        self._intervals = {interval.name: interval for interval in routing.intervals}

    def silences(self, node: Node, moment: datetime.datetime) -> str | None:
        """Why a route does not notify at an aware `moment`, in words; None when it does."""
        active, mute = node.route.active, node.route.mute
        if active and not any(contains(self._intervals[name], moment) for name in active):
            return f"outside {' and '.join(active)}"
        for name in mute:
            if contains(self._intervals[name], moment):
                return f"outside {name.removesuffix(':closed')}" if name.endswith(":closed") else f"in {name}"
        return None

    def unknown(self, node: Node, moment: datetime.datetime) -> int | None:
        """The last year whose holidays a route's calendars know, if `moment` is after it."""
        used = [self._intervals[name].last_year for name in (*node.route.active, *node.route.mute)]
        return next((last for last in used if last is not None and last < moment.year), None)

    def until(self, node: Node, moment: datetime.datetime, days: int = 400) -> datetime.datetime | None:
        """When a route that is silent at an aware `moment` notifies again; None: not within so many days."""
        used = [self._intervals[name] for name in (*node.route.active, *node.route.mute)]
        return next((later for later in edges(used, moment, days) if self.silences(node, later) is None), None)
