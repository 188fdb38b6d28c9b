"""What promtool is to expect of one alert: its labels and texts at each outcome of a script."""

from __future__ import annotations

from functools import lru_cache
from itertools import product

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


class Expectations:
    """Those of an alert whose identity `bad` goes bad."""

    def __init__(self, alert: Alert, claim: Claim, bad: Labels) -> None:
        self.alert, self.claim, self.bad = alert, claim, bad
        self.rules = {rule.severity: rule for rule in alert.rules}
        # What outcomes share: what is expected of one level, and its labels.
        self._levels: dict[Outcome, Expected | None] = {}
        self._labels: dict[tuple[str, bool], list[tuple[dict[str, str], Labels]]] = {}

    def of(self, outcome: Outcome) -> Expected | None:
        """The alerts that fire; None where a text shows a value that is not known to the last digit."""
        expected: list[ExpectedAlert] = []
        for severity in outcome.firing:
            key = outcome._replace(firing=(severity,))
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
        for severity, result in product(outcome.firing, self._results(outcome.ended)):
            labels = {**_labels(self.rules[severity], result), "alertname": name, "alertstate": "firing"}
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
            self._labels[key] = [(one, tuple(_labels(rule, one).items())) for one in self._results(outcome.ended)]
        expected = []
        for result, labels in self._labels[key]:
            annotations = self._annotations(rule, result, outcome)
            if annotations is None:
                return None
            expected.append(ExpectedAlert(labels, annotations))
        return tuple(expected)

    def _results(self, ended: bool) -> list[dict[str, str]]:
        """The labels of each series that the rule's expression results in."""
        if ended:
            return [dict(labels) for labels in (self.claim.stimulus.gone or (), *self.claim.stimulus.leave)]
        return [dict((*self.claim.fixed_labels, *self.bad))]

    def _annotations(self, rule: Rule, labels: dict[str, str], outcome: Outcome) -> Labels | None:
        """What the annotations read at its value; None where that is not known to the last digit shown."""
        result = []
        value, exact = outcome.value, outcome.exact or self.claim.stimulus.exact
        for name, text in rule.annotations:
            if "{{" not in text:
                result.append((name, text))
                continue
            reads, raw = _value_in(text)
            if reads and (value is None or (raw and not exact)):
                return None
            shown = go.expand(text, labels, value if value is not None else 0.0)
            if shown is None:
                return None
            if reads and not exact and not _is_sure(text, value or 0.0):
                return None
            result.append((name, shown))
        return tuple(result)


@lru_cache(maxsize=1024)
def _value_in(text: str) -> tuple[bool, bool]:
    """Whether a template reads the value, and whether it may show it unrounded."""
    return go.uses_value(text), go.shows_raw_value(text)


@lru_cache(maxsize=4096)
def _is_sure(text: str, value: float) -> bool:
    """Whether a template reads the same at all that a value may come out as: none that it rounds or cuts off there."""
    shown = go.expand(text, {}, value)
    return all(go.expand(text, {}, value * nearly) == shown for nearly in NEARLY)


def _labels(rule: Rule, result: dict[str, str]) -> dict[str, str]:
    """The labels of an alert; one without a value is none, as when its template names what the result has not."""
    labels = dict(result)
    for name, value in rule.labels:
        labels[name] = value if "{{" not in value else go.expand(value, result, 0.0) or ""
    return {name: value for name, value in labels.items() if value}
