"""What the rules of a system read, through its records: which series matter to which alert, and the slice they need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from alertkit.compile.ruleset import Alert, Record, Rule, System
from alertkit.promql import Expr, Labels, PromqlError, parse, result_labels, selectors, walk
from alertkit.promql.tree import Call, Selector
from alertkit.spec import regex

Series = Mapping[str, str]
"""A series as its labels, the metric's name among them as `__name__`."""


def holds(op: str, wanted: str, value: str) -> bool:
    """Whether a matcher takes a label's value (empty: no such label)."""
    if op in ("=", "!="):
        return (value == wanted) == (op == "=")
    return regex.matcher(wanted)(value) == (op == "=~")


def selects(selector: Selector, series: Series) -> bool:
    """Whether a selector takes a series."""
    if selector.name is not None and selector.name != series["__name__"]:
        return False
    return all(holds(m.op, m.value, series.get(m.label, "")) for m in selector.matchers)


@lru_cache(maxsize=4096)
def _tree(text: str) -> Expr | None:
    try:
        return parse(text)
    except PromqlError:
        return None


class Reads:
    """Answers for one system."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.alerts: dict[str, list[Alert]] = {}
        for alert in system.alerts:
            self.alerts.setdefault(alert.name, []).append(alert)
        self._records = {record.name: record for record in system.records}
        self._inputs: dict[str, tuple[tuple[Selector, ...], frozenset[str], frozenset[str]]] = {}

    def inputs(self, rule: Rule) -> tuple[tuple[Selector, ...], frozenset[str], frozenset[str]]:
        """The selectors of series from outside, names of records, names of other alerts that a rule reads."""
        found = self._inputs.get(rule.expr)
        if found is None:
            found = self._inputs[rule.expr] = self._gather(rule)
        return found

    def _gather(self, rule: Rule) -> tuple[tuple[Selector, ...], frozenset[str], frozenset[str]]:
        outside: list[Selector] = []
        records: set[str] = set()
        others: set[str] = set()
        queue = [rule.expr]
        while queue:
            tree = _tree(queue.pop())
            for selector, _, _ in selectors(tree) if tree is not None else ():
                if selector.name in self._records:
                    if selector.name not in records:
                        records.add(selector.name)
                        queue.append(self._records[selector.name].expr)
                elif selector.name in ("ALERTS", "ALERTS_FOR_STATE"):
                    others |= {
                        name for name in self.alerts if name != rule.alert
                        and all(holds(m.op, m.value, name) for m in selector.matchers if m.label == "alertname")
                    }  # fmt: skip
                else:
                    outside.append(selector)
        return tuple(outside), frozenset(records), frozenset(others)

    def reads(self, alert: Alert, series: Series) -> bool:
        """Whether any rule of an alert reads a series."""
        return any(selects(selector, series) for rule in alert.rules for selector in self.inputs(rule)[0])

    def metrics(self) -> set[str]:
        """The names of all metrics from outside that the system's rules read."""
        rules = [rule for alert in self.system.alerts for rule in alert.rules]
        return {selector.name for rule in rules for selector in self.inputs(rule)[0] if selector.name}

    def slice(self, series: Iterable[Series], named: Iterable[str]) -> tuple[tuple[Record, ...], tuple[Alert, ...]]:
        """The alerts that read any of the series or are named, those whose state they read, and all their records."""
        given = list(series)
        wanted = set(named)
        wanted |= {alert.name for alert in self.system.alerts if any(self.reads(alert, one) for one in given)}
        queue = list(wanted)
        records: set[str] = set()
        while queue:
            for alert in self.alerts.get(queue.pop(), ()):
                for rule in alert.rules:
                    _, read, others = self.inputs(rule)
                    records |= read
                    queue += sorted(others - wanted)
                    wanted |= others
        return (
            tuple(record for record in self.system.records if record.name in records),
            tuple(alert for alert in self.system.alerts if alert.name in wanted),
        )

    def labels(self, rule: Rule) -> Labels:
        """The labels that the result of a rule's expression can have."""
        tree = _tree(rule.expr)
        return Labels(open=True) if tree is None else result_labels(tree)

    def values(self, alert: Alert, label: str, series: Iterable[Series]) -> set[str] | None:
        """The values that a label of an alert can have with these series; None where that cannot be told."""
        found: set[str] = set()
        for rule in alert.rules:
            own = dict(rule.labels).get(label)
            if own is not None and "{{" not in own:
                found.add(own)
                continue
            tree = _tree(rule.expr)
            if tree is None or own is not None or not self._plain(rule):
                return None
            if not result_labels(tree).may_have(label):
                continue
            outside = self.inputs(rule)[0]
            found |= {m.value for s in outside for m in s.matchers if m.label == label and m.op == "="}
            found |= {one[label] for one in series if label in one and any(selects(s, one) for s in outside)}
        return found - {""}

    def _plain(self, rule: Rule) -> bool:
        """Whether no expression behind a rule makes up label values."""
        texts = [rule.expr, *(self._records[name].expr for name in self.inputs(rule)[1])]
        for text in texts:
            tree = _tree(text)
            if tree is None:
                return False
            for node in walk(tree):
                if isinstance(node, Call) and node.name in ("label_replace", "label_join", "info"):
                    return False
                if getattr(node, "op", "") == "count_values":
                    return False
        return True
