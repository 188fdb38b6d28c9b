"""What promtool is to expect of one alert: its labels and texts at each outcome of a script."""

from __future__ import annotations

import re
from collections.abc import Container
from functools import lru_cache
from typing import NamedTuple

from alertkit.compile.claim import Claim
from alertkit.compile.ruleset import Alert, Rule
from alertkit.emit.promtool import Expected, ExpectedAlert
from alertkit.prove.derived.cast import Labels, braces, leaving
from alertkit.prove.derived.decoys import DECOY
from alertkit.prove.derived.script import Outcome
from alertkit.spec.selector import quoted
from alertkit.template import go

# What a value that is not exact may come out as, as shares of it.
NEARLY = (1 - 1e-7, 1 + 1e-7)
# Where a template reads all labels at once, and the name that a branch of an expression begins with.
_ALL_LABELS = re.compile(r"(?:\$l|\.L)abels(?![\w.])")
_FIRST_NAME = re.compile(r"\(*([a-zA-Z_:][\w:]*)")


class Expectations:
    """Those of an alert whose identity `bad` goes bad, in a system with these records."""

    def __init__(self, alert: Alert, claim: Claim, bad: Labels, records: Container[str]) -> None:
        self.alert, self.claim, self.bad, self.records = alert, claim, bad, records
        self.rules = {rule.severity: rule for rule in alert.rules}
        templates = [text for rule in alert.rules for _, text in (*rule.annotations, *rule.labels) if "{{" in text]
        self.lists = any(_reads(go.actions(text)).labels for text in templates)
        # What outcomes share: what is expected of one level, and its labels.
        self._levels: dict[Outcome, Expected | None] = {}
        self._labels: dict[tuple[str, bool], list[tuple[dict[str, str], Labels]]] = {}

    def of(self, outcome: Outcome) -> Expected | None:
        """The alerts that fire; None where a text shows a value that is not known to the last digit."""
        expected: list[ExpectedAlert] = []
        for severity in outcome.firing:
            key = Outcome((severity,), *outcome[1:])
            if key not in self._levels:
                self._levels[key] = self._level(self.rules[severity], key)
            level = self._levels[key]
            if level is None:
                return None
            expected += level
        return tuple(expected)

    def states(self, outcome: Outcome) -> tuple[str, tuple[tuple[str, float], ...]]:
        """PromQL for the alert's states with the samples that it results in: the same by labels alone."""
        name = self.alert.name
        samples = []
        for severity in outcome.firing:
            rule = self.rules[severity]
            # A label that comes out empty is not the alert's, and stands here as its template.
            raw = {label: value for label, value in rule.labels if value}
            for result in self._results(rule, outcome.ended):
                labels = {**raw, **_labels(rule, result), "alertname": name, "alertstate": "firing"}
                samples.append(("ALERTS" + braces(labels), 1.0))
        return f'ALERTS{{alertname={quoted(name)},alertstate="firing",{DECOY}=""}}', tuple(samples)

    def missing(self, companion: Rule, good: Labels | None) -> tuple[Expected, Expected, Expected]:
        """The companion, when the data of the identity is gone, when all is forgotten, and in the case no-data."""
        anywhere = tuple(self.claim.inputs[0].equalities().items())

        def told(*results: Labels) -> Expected:
            labels = [_labels(companion, dict(result)) for result in results]
            return tuple([ExpectedAlert(tuple(one.items()), companion.annotations) for one in labels])

        if not self.claim.identity:
            return told(anywhere), told(anywhere), told(anywhere)
        return told(self.bad), told(anywhere), told(*leaving(self.claim, self.bad, good))

    def _level(self, rule: Rule, outcome: Outcome) -> Expected | None:
        key = (rule.severity, outcome.ended)
        if key not in self._labels:
            self._labels[key] = [(one, tuple(_labels(rule, one).items())) for one in self._results(rule, outcome.ended)]
        expected = []
        for result, labels in self._labels[key]:
            annotations = self._annotations(rule, result, outcome)
            if annotations is None:
                return None
            expected.append(ExpectedAlert(labels, annotations))
        return tuple(expected)

    def _results(self, rule: Rule, ended: bool) -> list[dict[str, str]]:
        """The labels of each series that the rule's expression results in."""
        if ended:
            return [dict(labels) for labels in (self.claim.stimulus.gone or (), *self.claim.stimulus.leave)]
        known = dict((*self.claim.fixed_labels, *self.bad))
        if self.lists and (name := min(self._names(rule))):
            known["__name__"] = name
        return [known]

    def _names(self, rule: Rule) -> set[str]:
        """Names that a result of the rule may have, those of records or "": a comparison leaves them as they are."""
        found = [_FIRST_NAME.match(part) for part in rule.expr.split("\nor\n")]
        return {match[1] if match is not None and match[1] in self.records else "" for match in found}

    def _annotations(self, rule: Rule, labels: dict[str, str], outcome: Outcome) -> Labels | None:
        """What the annotations read at its value; None where that is not known to the last digit shown."""
        result = []
        value, exact = outcome.value, outcome.exact or self.claim.stimulus.exact
        for name, text in rule.annotations:
            if "{{" not in text:
                result.append((name, text))
                continue
            reads = _reads(go.actions(text))
            if reads.labels and len(self._names(rule)) > 1:
                return None
            if reads.value and (value is None or (reads.raw and not exact)):
                return None
            shown = go.expand(text, labels, value if value is not None else 0.0)
            if shown is None:
                return None
            # It must read the same at all that the value may come out as: nothing is rounded or cut off there.
            nearly = [] if exact or not reads.value or not value else [value * share for share in NEARLY]
            if any(go.expand(text, labels, other) != shown for other in nearly):
                return None
            result.append((name, shown))
        return tuple(result)


class _Reads(NamedTuple):
    """Whether a template reads the value, whether it may show it unrounded, and whether it reads all labels at once."""

    value: bool
    raw: bool
    labels: bool


@lru_cache(maxsize=1024)
def _reads(actions: str) -> _Reads:
    return _Reads(go.uses_value(actions), go.shows_raw_value(actions), _ALL_LABELS.search(actions) is not None)


def _labels(rule: Rule, result: dict[str, str]) -> dict[str, str]:
    """The labels of an alert; one without a value is none, as when its template names what the result has not.

    Its templates read the name of the result, which is then left out.
    """
    labels = dict(result)
    for name, value in rule.labels:
        labels[name] = value if "{{" not in value else go.expand(value, result, 0.0) or ""
    return {name: value for name, value in labels.items() if value and name != "__name__"}
