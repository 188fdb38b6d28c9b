"""What is wrong with a routing as a whole, given the alerts that there are."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from alertkit.compile.route_tree import OWN_TIMES
from alertkit.compile.routing import Matcher
from alertkit.routing.answer import Answer, Oracle, shown_labels, shown_matchers
from alertkit.routing.router import Node
from alertkit.routing.situations import Situation
from alertkit.source import Span
from alertkit.spec.routing import Loaded, walk
from alertkit.spec.validate import suggest


@dataclass(frozen=True, slots=True)
class Finding:
    """`kind`: `notified` (an expectation that fails), `unreachable`, `default`, `twice`, `grouped` (by a label that no
    alert has), `receiver` or `calendar`.
    """

    kind: str
    message: str
    span: Span | None

    @property
    def fails(self) -> bool:
        return self.kind == "notified"


@dataclass(frozen=True, slots=True)
class Expectation:
    """A `notified:` entry: alerts with these labels reach exactly these receivers, in any order.

    So it is at the aware moment `at` (None: whatever the calendars say) and while alerts with the labels of each of
    `firing` fire too. `when` is how the user wrote that.
    """

    labels: Mapping[str, str]
    receivers: tuple[str, ...]
    span: Span | None
    at: datetime.datetime | None = None
    firing: tuple[Mapping[str, str], ...] = ()
    when: str = "notified"


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
    return findings + _grouped(alerts, files) + _unused(alerts, files, leaves)


def _expected(oracle: Oracle, alerts: Sequence[Situation], expected: Expectation) -> list[Finding]:
    wanted = sorted(set(expected.receivers))
    known = [receiver.name for receiver in oracle.routing.receivers]
    for name in wanted:
        if name not in known:
            return [Finding("notified", f"there is no receiver `{name}`; {suggest(name, known)}", expected.span)]
    others: list[dict[str, str]] = []
    for labels in (expected.labels, *expected.firing):
        fitting = _fitting(alerts, labels)
        if not fitting:
            return [Finding("notified", _no_alert(alerts, labels), expected.span)]
        if labels is not expected.labels:
            # What is not known of both is the same in both: that is the case that was meant.
            others += [
                {**{name: expected.labels.get(name, "?") for name in s.free}, **s.labels, **labels} for s in fitting
            ]
    findings = []
    for situation in _fitting(alerts, expected.labels):
        labels = {**situation.labels, **expected.labels}
        free = situation.free - set(expected.labels)
        answer = oracle.answer(labels, expected.at, others, free)
        told = sorted(answer.notified)
        narrower = oracle.narrower(labels, others, free)
        hint = f"; {narrower} would be muted" if narrower else ""
        if told != wanted:
            findings.append(Finding(
                "notified",
                f"{labels.get('alertname')} ({labels.get('severity')}) reaches {', '.join(told) or 'nobody'}"
                f"{_why(answer)}, not {', '.join(wanted) or 'nobody'}{hint}",
                expected.span,
            ))  # fmt: skip
    return findings


def _fitting(alerts: Sequence[Situation], labels: Mapping[str, str]) -> list[Situation]:
    matchers = [Matcher(name, "=", value) for name, value in labels.items()]
    return [situation for situation in alerts if situation.possible(matchers)]


def _no_alert(alerts: Sequence[Situation], labels: Mapping[str, str]) -> str:
    """Why no alert has these labels, which name an alert and its system."""
    name, system = labels["alertname"], labels.get("system", "")
    names = {s.labels["alertname"] for s in alerts if s.labels.get("system", "") == system}
    if not names:
        return f"no system `{system}` has alerts; {suggest(system, {s.alert.system for s in alerts})}"
    if name not in names:
        return f"{system} has no alert `{name}`; {suggest(name, names)}"
    rest = [Matcher(key, "=", value) for key, value in labels.items() if key not in ("alertname", "system")]
    return f"no {name} can have {shown_matchers(rest)}"


def _why(answer: Answer) -> str:
    """What keeps an alert from receivers that it would reach otherwise, in brackets."""
    if answer.muted:
        return f" (muted by {shown_labels(answer.muted.source)})"
    silenced = dict.fromkeys(f"{told.receiver} {told.silenced}" for told in answer.told if told.silenced)
    return f" ({'; '.join(silenced)})" if silenced else ""


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
            findings.append(
                Finding("unreachable", f"no alert reaches the route {words}{_hint(nodes[0], alerts)}", span)
            )
    return findings


def _hint(node: Node, alerts: Sequence[Situation]) -> str:
    """The first matcher on the way to a route that no alert fits, with what was perhaps meant."""
    for matcher in (matcher for step in node.path for matcher in step.route.matchers):
        if any(situation.possible([matcher]) for situation in alerts):
            continue
        labels = {label for s in alerts for label in (*s.labels, *s.free)}
        if matcher.label not in labels:
            return f": none has the label `{matcher.label}`; {suggest(matcher.label, labels)}"
        values = {s.labels[matcher.label] for s in alerts if matcher.label in s.labels}
        return f": none has {matcher}; {suggest(matcher.value, values)}"
    return ""


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


def _grouped(alerts: Sequence[Situation], files: Sequence[Loaded]) -> list[Finding]:
    """Labels to group by that no alert has: all alerts would be alike in them."""
    if any(situation.open for situation in alerts):
        return []
    labels = {label for s in alerts for label in (*s.labels, *s.free)}
    findings = []
    for loaded in files:
        places = [(loaded.file.group_by, loaded.value("group_by"))]
        places += [(r.group_by, loaded.value(*path, "group_by")) for r, path in walk(loaded.file.routes, "routes")]
        for names, place in places:
            for name in names or ():
                if alerts and name != "..." and name not in labels:
                    message = f"no alert has the label `{name}` to group by; {suggest(name, labels)}"
                    findings.append(Finding("grouped", message, place))
    return findings


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
