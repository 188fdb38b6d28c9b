"""What is wrong with a routing as a whole, given the alerts that there are."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from alertkit.compile.route_tree import OWN_TIMES
from alertkit.compile.routing import Matcher
from alertkit.routing.answer import Oracle, shown_matchers
from alertkit.routing.router import Node
from alertkit.routing.situations import Situation
from alertkit.source import Span
from alertkit.spec.routing import Loaded, walk


@dataclass(frozen=True, slots=True)
class Finding:
    """`kind`: `notified` (an expectation that fails), `unreachable`, `default`, `twice`, `receiver` or `calendar`."""

    kind: str
    message: str
    span: Span | None

    @property
    def fails(self) -> bool:
        return self.kind == "notified"


@dataclass(frozen=True, slots=True)
class Expectation:
    """A `notified:` entry: alerts with these labels reach exactly these receivers, in any order."""

    labels: Mapping[str, str]
    receivers: tuple[str, ...]
    span: Span | None
    at: datetime.datetime | None = None


def check(
    oracle: Oracle, alerts: Sequence[Situation], files: Sequence[Loaded], expectations: Iterable[Expectation] = ()
) -> list[Finding]:
    """All findings, expectations first."""
    reached: set[int] = set()
    leaves: set[str] = set()
    defaulted: dict[tuple[str, str], list[Situation]] = {}
    twice: dict[tuple[str, str, str], Situation] = {}
    root = oracle.router.root
    # Generated routes that stand for the root: below `notify:`, and above the copies for calendars.
    default = {root.index} | {
        child.index
        for child in root.children
        if child.receiver == root.receiver and (not child.route.matchers or child.route.origin == OWN_TIMES)
    }
    for situation in alerts:
        matches = oracle.router.routes(situation.labels)
        for node in matches:
            leaves.add(node.receiver)
            at: Node | None = node
            while at is not None and at.index not in reached:
                reached.add(at.index)
                at = at.parent
        names = [node.receiver for node in matches]
        for name in names if len(set(names)) < len(names) else ():
            if names.count(name) > 1:
                twice.setdefault((situation.alert.system, situation.alert.name, name), situation)
        if all(node.index in default for node in matches):
            defaulted.setdefault((situation.alert.system, situation.alert.name), []).append(situation)
    findings = [found for expected in expectations for found in _expected(oracle, alerts, expected)]
    leaves.add(root.receiver)
    findings += _unreachable(oracle, alerts, reached, leaves)
    for (system, name), levels in defaulted.items():
        here = [situation for situation in levels if not _elsewhere(oracle, situation)]
        if here:
            alert = here[0].alert
            some = len({s.severity for s in here}) < len({level.get("severity") for level in alert.levels})
            which = f" ({', '.join(s.severity for s in here)})" if some else ""
            findings.append(Finding(
                "default", f"{system}/{name}{which} reaches only the default receiver `{root.receiver}`", alert.span,
            ))  # fmt: skip
    for (system, name, receiver), situation in twice.items():
        findings.append(Finding(
            "twice", f"{system}/{name} is sent to `{receiver}` by two routes, so it gets each message twice",
            situation.alert.span,
        ))  # fmt: skip
    return findings + _unused(alerts, files, leaves)


def _expected(oracle: Oracle, alerts: Sequence[Situation], expected: Expectation) -> list[Finding]:
    wanted = sorted(set(expected.receivers))
    fitting = [
        situation.labels for situation in alerts
        if all(situation.labels.get(name, value) == value for name, value in expected.labels.items())
    ]  # fmt: skip
    if not fitting:
        words = shown_matchers(Matcher(name, "=", value) for name, value in expected.labels.items())
        return [Finding("notified", f"no alert has {words}", expected.span)]
    findings = []
    for labels in fitting:
        told = sorted(oracle.answer({**labels, **expected.labels}, expected.at).notified)
        if told != wanted:
            findings.append(Finding(
                "notified",
                f"{labels.get('alertname')} ({labels.get('severity')}) reaches {', '.join(told) or 'nobody'}, "
                f"not {', '.join(wanted) or 'nobody'}",
                expected.span,
            ))  # fmt: skip
    return findings


def _unreachable(oracle: Oracle, alerts: Sequence[Situation], reached: set[int], leaves: set[str]) -> list[Finding]:
    """Routes of the files that no alert of the project reaches; receivers that may be reached are added to `leaves`."""
    # One route of the files may stand in the tree several times: in copies for calendars, once for each receiver.
    places: dict[Span, list[Node]] = {}
    looks = _Looks(alerts)
    for node in oracle.router.nodes:
        if node.route.span is not None and node.parent is not None and not node.route.origin:
            places.setdefault(node.route.span, []).append(node)
    findings = []
    silent: set[Span] = set()
    for span, nodes in places.items():
        if any(node.index in reached for node in nodes):
            continue
        possible = [node for node in nodes if looks.possible(node)]
        leaves.update(node.receiver for node in possible)
        if possible:
            continue
        parents = {node.parent.route.span for node in nodes if node.parent}
        silent.add(span)
        if not parents & silent:  # the outermost says it for all within
            words = shown_matchers(nodes[0].route.matchers)
            findings.append(Finding("unreachable", f"no alert reaches the route {words}", span))
    return findings


class _Looks:
    """Alerts that look the same to a route are asked once."""

    def __init__(self, alerts: Sequence[Situation]) -> None:
        self.alerts = alerts
        self._distinct: dict[tuple[str, ...], list[Situation]] = {}

    def possible(self, node: Node) -> bool:
        """Whether unknown labels could bring an alert there."""
        matchers = [matcher for step in node.path for matcher in step.route.matchers]
        asked = tuple(sorted({matcher.label for matcher in matchers}))
        if asked not in self._distinct:
            looks: dict[object, Situation] = {}
            names = frozenset(asked)
            for situation in self.alerts:
                look = (*(situation.labels.get(label) for label in asked), situation.open, situation.free & names)
                looks.setdefault(look, situation)
            self._distinct[asked] = list(looks.values())
        return any(situation.possible(matchers) for situation in self._distinct[asked])


def _elsewhere(oracle: Oracle, situation: Situation) -> bool:
    """Whether unknown labels could bring an alert to a route beside the default."""
    if not situation.free and not situation.open:
        return False
    return any(
        node.route.matchers and not node.children and situation.possible(m for s in node.path for m in s.route.matchers)
        for node in oracle.router.nodes
    )


def _unused(alerts: Sequence[Situation], files: Sequence[Loaded], leaves: set[str]) -> list[Finding]:
    findings = []
    calendars = {name for situation in alerts for name in (situation.alert.active, situation.alert.mute)}
    named = {name for loaded in files for route, _ in walk(loaded.file.routes) for name in (*route.active, *route.mute)}
    for loaded in files:
        for name in loaded.file.receivers:
            if name not in leaves:
                place = loaded.key("receivers", name)
                findings.append(Finding("receiver", f"nothing reaches the receiver `{name}`", place))
        for name in loaded.file.calendars:
            if name not in calendars and name not in named:
                place = loaded.key("calendars", name)
                findings.append(Finding("calendar", f"nothing uses the calendar `{name}`", place))
    return findings
