"""Inhibition: of milder levels by graver ones, of alerts by those that explain them away, and the file's own.

Alertmanager takes two missing labels for equal (alertmanager#507, #1727), so every label in `equal` that an alert may
lack is required on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from alertkit.compile.reach import holds
from alertkit.compile.routing import InhibitRule, Matcher, Others, Routable
from alertkit.compile.unless import Copy, Identity, shares
from alertkit.source import Problems, Span
from alertkit.spec import regex
from alertkit.spec.routing import Inhibition, Loaded
from alertkit.spec.validate import suggest

# Variables of `for_each` and their values in one copy, where copies are not alike.
Pins = tuple[tuple[str, str], ...]


def alert_matcher(names: Iterable[str]) -> Matcher:
    """A matcher for these alert names."""
    ordered = sorted(set(names))
    if len(ordered) == 1:
        return Matcher("alertname", "=", ordered[0])
    return Matcher("alertname", "=~", "|".join(regex.escape(name) for name in ordered))


def guards(labels: Iterable[str]) -> tuple[Matcher, ...]:
    """The labels must be there."""
    return tuple(Matcher(label, "!=", "") for label in labels)


def by_severity(alerts: Sequence[Routable]) -> list[InhibitRule]:
    """A graver level mutes the milder ones of the same alert and identity.

    An alert whose identity is not known gets no rule: one instance would mute another.
    """
    groups: dict[tuple[str, tuple[str, ...], Pins, str, str], list[Routable]] = {}
    for alert, pins in zip(alerts, _pins(alerts), strict=True):
        identity = _identity(alert).labels
        if identity is None:
            continue
        severities = [level.get("severity", "") for level in alert.levels]
        for low, mild in enumerate(severities):
            for grave in severities[low + 1 :]:
                if mild != grave:
                    key = (alert.system, tuple(sorted(identity)), pins, grave, mild)
                    groups.setdefault(key, []).append(alert)
    rules = []
    for (system, labels, pins, grave, mild), members in groups.items():
        common = (Matcher("system", "=", system), alert_matcher(a.name for a in members))
        needed = _there(labels, pins)
        rules.append(InhibitRule(
            (*common, Matcher("severity", "=", grave), *needed), (*common, Matcher("severity", "=", mild), *needed),
            ("alertname", "system", *labels), f"{grave} mutes {mild}", members[0].span,
        ))  # fmt: skip
    return rules


def by_unless(alerts: Sequence[Routable]) -> list[InhibitRule]:
    """`unless: Other` mutes an alert while Other fires for the same shared identity."""
    known = {(alert.system, alert.name): alert for alert in alerts}
    pinned = list(zip(alerts, _pins(alerts), strict=True))
    unlike: dict[tuple[str, str], list[Copy]] = {}
    for alert, pins in pinned:
        if pins:
            unlike.setdefault((alert.system, alert.name), []).append(Copy(_identity(alert), dict(pins)))
    groups: dict[tuple[str, str, tuple[str, ...], Pins, Pins], list[Routable]] = {}
    for alert, pins in pinned:
        for other in alert.unless:
            source = known.get((alert.system, other))
            if source is None:
                continue  # the compiler of specs has reported it
            copies = unlike.get((alert.system, other))
            if copies is None:
                shared = tuple(_identity(source).shared(_identity(alert)))
                groups.setdefault((alert.system, other, shared, (), pins), []).append(alert)
                continue
            for labels, values in shares(_identity(alert), dict(_values(alert)), copies):
                at = tuple(values.items())
                groups.setdefault((alert.system, other, tuple(labels), at, pins), []).append(alert)
    rules = []
    for (system, other, equal, at, pins), members in groups.items():
        place = Matcher("system", "=", system)
        rules.append(InhibitRule(
            (place, alert_matcher([other]), *_there(equal, at)),
            (place, alert_matcher(a.name for a in members), *_there(equal, pins)),
            ("system", *equal), f"{other} explains {_some(a.name for a in members)} away", members[0].span,
        ))  # fmt: skip
    return rules


def _pins(alerts: Sequence[Routable]) -> list[Pins]:
    """For each copy of an alert what tells it from those that have other labels; nothing where all have the same."""
    identities: dict[tuple[str, str], set[Identity]] = {}
    for alert in alerts:
        if alert.variables:
            identities.setdefault((alert.system, alert.name), set()).add(_identity(alert))
    unlike = {name for name, of in identities.items() if len(of) > 1}
    return [_values(alert) if unlike and (alert.system, alert.name) in unlike else () for alert in alerts]


def _values(alert: Routable) -> Pins:
    return tuple((name, alert.levels[0][name]) for name in alert.variables)


def _there(labels: Iterable[str], pins: Pins) -> tuple[Matcher, ...]:
    """Matchers for alerts that have these labels, some of them with these values."""
    known = dict(pins)
    return *(Matcher(name, "=", value) for name, value in pins), *guards(name for name in labels if name not in known)


def _identity(alert: Routable) -> Identity:
    return Identity(alert.identity, alert.variables)


def _some(names: Iterable[str]) -> str:
    ordered = sorted(set(names))
    return ", ".join(ordered[:3]) + (f" and {len(ordered) - 3} more" if len(ordered) > 3 else "")


def from_files(
    files: Sequence[Loaded], alerts: Sequence[Routable], others: Others | None, problems: Problems
) -> list[InhibitRule]:
    """The `inhibit:` entries; what they mute never includes their own source, nor a heartbeat.

    `others` are those that are not among `alerts`; None where not all of them are known.
    """
    rules = []
    names = [] if others is None else sorted({alert.name for alert in alerts}.union(others.names))
    heartbeats = sorted({alert.name for alert in alerts if alert.heartbeat_receiver})
    for loaded in files:
        for index, entry in enumerate(loaded.file.inhibit):
            span = loaded.value("inhibit", index, "when")
            _known_alerts(entry.when, names, span, problems)
            _known_alerts(entry.mutes.matches, names, loaded.value("inhibit", index, "mutes"), problems)
            _known_labels(entry, alerts, others, loaded, index, problems)
            needed = guards(label for label in entry.mutes.same if label not in ("alertname",))
            source = _without_doubles((*entry.when, *needed))
            own = [m for m in entry.when if m.label == "alertname" and m.op in ("=", "=~")]
            spared = [Matcher("alertname", "!=" if m.op == "=" else "!~", m.value) for m in own]
            spared += [Matcher("alertname", "!=", name) for name in heartbeats]
            target = _without_doubles((*entry.mutes.matches, *spared, *needed))
            words = " and ".join(str(matcher) for matcher in entry.when)
            rules.append(InhibitRule(source, target, entry.mutes.same, f"inhibit: {words}", span))
    return rules


def _known_labels(
    entry: Inhibition, alerts: Sequence[Routable], others: Others | None, loaded: Loaded, index: int, problems: Problems
) -> None:  # fmt: skip
    """What must be the same on both sides must be a label of the alerts that mute."""
    named = [m for m in entry.when if m.label == "alertname" and m.op in ("=", "=~")]
    sources = [alert for alert in alerts if named and all(holds(m, alert.name) for m in named)]
    if not sources or any(alert.identity is None for alert in sources):
        return
    if others is None or any(all(holds(m, name) for m in named) for name in others.names):
        return  # a source of which the labels are not known
    labels = {label for alert in sources for label in (*(alert.identity or ()), *alert.levels[0])}
    for label in entry.mutes.same:
        if label not in labels:
            names = " or ".join(sorted({alert.name for alert in sources})[:3])
            problems.add(
                "AK514", f"no {names} has the label `{label}`, so nothing would be muted",
                loaded.key("inhibit", index, "mutes", label), suggest(label, labels),
            )  # fmt: skip


def _without_doubles(matchers: Iterable[Matcher]) -> tuple[Matcher, ...]:
    return tuple(dict.fromkeys(matchers))


def _known_alerts(matchers: Iterable[Matcher], names: Sequence[str], span: Span, problems: Problems) -> None:
    for matcher in matchers:
        if matcher.label == "alertname" and matcher.op == "=" and names and matcher.value not in names:
            problems.add("AK514", f"there is no alert `{matcher.value}`", span, suggest(matcher.value, names))
