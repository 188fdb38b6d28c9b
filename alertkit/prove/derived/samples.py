"""Alerts as Alertmanager gets them, with the labels and texts with which their own stimulus makes them fire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from urllib.parse import quote

from alertkit.compile.ruleset import Alert, Rule, System
from alertkit.prove.derived.cases import proofs_of
from alertkit.routing.render import Sample
from alertkit.routing.situations import Situation


def most(levels: Sequence[Situation]) -> int | None:
    """How many alerts of one severity can fire at once; None: as many as their labels have values.

    `levels` are the copies of one alert with that severity: several where `for_each` made them.
    """
    return None if any(level.free or level.open for level in levels) else len(levels)


def samples(systems: Sequence[System], levels: Sequence[Situation], count: int) -> list[Sample]:
    """`count` alerts of `levels` (see `most`, which `count` must not exceed), each with labels of its own."""
    firsts = [_first(systems, level) for level in levels[:count]]
    free = levels[0].free or ({"instance"} if levels[0].open else frozenset())
    if not free:
        return firsts
    return firsts[:1] + [_another(firsts[0], free, index) for index in range(2, count + 1)]


def _first(systems: Sequence[System], level: Situation) -> Sample:
    system = next(s for s in systems if s.name == level.alert.system)
    alert, rule = _rule(system, level)
    labels = level.labels | {name: f"{name}-1" for name in level.free}
    annotations = dict(rule.annotations)
    for proof in proofs_of(system._replace(alerts=(alert,))):
        for test in proof.group.alert_tests:
            for expected in test.expected:
                given = dict(expected.labels)
                if test.alert == rule.alert and given.get("severity", "") == level.severity:
                    return _sample(level.labels | given, expected.annotations, rule)
    return _sample(labels, annotations.items(), rule)


def _rule(system: System, level: Situation) -> tuple[Alert, Rule]:
    """The rule of a level: `for_each` makes several alerts of one name, which differ in their labels."""
    found = [
        (alert, rule)
        for alert in system.alerts if alert.name == level.alert.name
        for rule in alert.rules if rule.severity == level.severity
    ]  # fmt: skip
    static = [(alert, rule) for alert, rule in found if set(_static(rule)) <= set(level.labels.items())]
    return (static or found)[0]


def _static(rule: Rule) -> list[tuple[str, str]]:
    return [(name, value) for name, value in rule.labels if "{{" not in value]


def _sample(labels: Mapping[str, str], annotations: Iterable[tuple[str, str]], rule: Rule) -> Sample:
    link = f"http://prometheus.example.com:9090/graph?g0.expr={quote(rule.expr)}&g0.tab=1"
    return Sample(dict(labels), dict(annotations), generator_url=link)


def _another(first: Sample, free: frozenset[str] | set[str], number: int) -> Sample:
    """The same with other values of its own labels, in its texts too."""
    own = {name: f"{first.labels.get(name, name).removesuffix('-1')}-{number}" for name in sorted(free)}
    texts = dict(first.annotations)
    for name, value in own.items():
        if before := first.labels.get(name):
            texts = {key: text.replace(before, value) for key, text in texts.items()}
    return replace(first, labels={**first.labels, **own}, annotations=texts)
