"""The points that coverage counts: what the cases of an alert can show of it.

A point is that the alert fires, stays silent, resolves; that a label or an annotation is compared while it fires; that
a level fires; that a branch of its expression is true, and false. The share of an alert is the points seen of those
that it can have.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from alertkit.compile.ruleset import Alert
from alertkit.prove.coverage.branches import Branch
from alertkit.source import Span

GENERATED, SCENARIO, WRITTEN = "generated", "scenario", "hand-written"
SOURCES = (GENERATED, SCENARIO, WRITTEN)
FIRING, QUIET, RESOLVES = "fires", "silent", "resolves"
LABEL, ANNOTATION, LEVEL, TRUE, FALSE = "label", "annotation", "level", "branch true", "branch false"


@dataclass(frozen=True, slots=True)
class Point:
    """Something that a case can show of an alert: its `kind`, of which part, and the sources of cases that show it.

    Of a branch that is the first source alone: once it is seen, promtool is not asked again.
    """

    kind: str
    name: str
    seen_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Covered:
    """One alert: its number of cases by source (those that passed), and all points that it can have."""

    system: str
    alert: str
    span: Span
    cases: dict[str, int]
    points: tuple[Point, ...]

    def of(self, *kinds: str) -> tuple[int, int]:
        """The points of these kinds: how many are seen, and how many there are."""
        mine = [point for point in self.points if point.kind in kinds]
        return sum(bool(point.seen_by) for point in mine), len(mine)

    @property
    def unseen(self) -> list[Point]:
        return [point for point in self.points if not point.seen_by]

    @property
    def percent(self) -> float:
        return percent([self])


def percent(alerts: Iterable[Covered]) -> float:
    """Points seen of all points that the alerts can have, in percent; 100 when they can have none."""
    points = [point for one in alerts for point in one.points]
    return 100.0 * sum(bool(point.seen_by) for point in points) / len(points) if points else 100.0


@dataclass(slots=True)
class Tally:
    """What has been seen of one alert so far; copies that `for_each` makes share a name and so a tally."""

    alerts: list[Alert]
    branches: list[Branch]
    cases: dict[str, set[str]] = field(default_factory=lambda: {source: set() for source in SOURCES})
    seen: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    @property
    def levels(self) -> list[str]:
        return list(dict.fromkeys(rule.severity for alert in self.alerts for rule in alert.rules))

    def parts(self, kind: str, severities: Collection[str]) -> set[str]:
        """The names of the labels, or annotations, of some levels."""
        rules = [rule for alert in self.alerts for rule in alert.rules if rule.severity in severities]
        if kind == ANNOTATION:
            return {name for rule in rules for name, _ in rule.annotations}
        identity = {name for alert in self.alerts for name in alert.identity or ()}
        return identity | {name for rule in rules for name, _ in rule.labels}

    def see(self, source: str, kind: str, *names: str) -> None:
        for name in names or ("",):
            self.seen.setdefault((kind, name), set()).add(source)

    def fires(self, source: str, severities: Collection[str], labels: Collection[str], texts: Collection[str]) -> None:
        """It is expected to fire and does, at these levels as far as said; these labels and annotations fit."""
        self.see(source, FIRING)
        for kind, names in ((LEVEL, severities), (LABEL, labels), (ANNOTATION, texts)):
            if names:
                self.see(source, kind, *names)

    def states(self, source: str, moments: Sequence[tuple[int, bool]]) -> None:
        """When it fired and when it was silent, along one timeline (time, whether it fires)."""
        quiet = [time for time, fires in moments if not fires]
        loud = [time for time, fires in moments if fires]
        if quiet:
            self.see(source, QUIET)
        if loud and quiet and min(loud) < max(quiet):
            self.see(source, RESOLVES)

    def covered(self, system: str) -> Covered:
        alert = self.alerts[0]
        always = alert.heartbeat is not None or (alert.claim is not None and alert.claim.stimulus.always)
        names = [(FIRING, ""), *([] if always else [(QUIET, ""), (RESOLVES, "")])]
        names += [(LEVEL, level) for level in self.levels if len(self.levels) > 1]
        names += [(kind, name) for kind in (LABEL, ANNOTATION) for name in sorted(self.parts(kind, self.levels))]
        names += [(kind, branch.text) for branch in self.branches for kind in (TRUE, FALSE)]
        points = [Point(*name, tuple(s for s in SOURCES if s in self.seen.get(name, ()))) for name in names]
        cases = {source: len(found) for source, found in self.cases.items()}
        return Covered(system, alert.name, alert.span, cases, tuple(points))
