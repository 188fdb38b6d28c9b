"""What a change of rules does to the alerts that are pending or firing now.

Prometheus keeps the state of an alert across a reload only in the same file and group and with the same name and
labels of the rule; then the new expression decides at its next evaluation.
Source: Prometheus, rules/group.go, `Group.CopyState`; rules/alerting.go, `AlertingRule.Eval`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alertkit import promql
from alertkit.deploy.compare import Comparison, RuleChange
from alertkit.deploy.loaded import ActiveAlert, LoadedGroup, LoadedRule
from alertkit.deploy.prometheus import Prometheus
from alertkit.source import Problems
from alertkit.spec.duration import format_duration


@dataclass(frozen=True, slots=True)
class Effect:
    """What happens to one active alert: `word` is resolves, resets, fires or unknown; `why` says it in words."""

    alert: str
    labels: tuple[tuple[str, str], ...]
    state: str
    word: str
    why: str


def effects(comparison: Comparison, server: Prometheus, loaded: Sequence[LoadedGroup]) -> Iterator[Effect]:
    """The effects on a server; expressions that change are asked of it, as they would be evaluated now."""
    records = {rule.name for group in loaded for rule in group.rules if rule.kind == "recording"}
    fresh = {c.new.name for c in comparison.changes if c.new is not None and c.new.kind == "recording"} - records
    for change in comparison.changes:
        if change.old is None or not change.old.active:
            continue
        yield from _of(change, server, fresh)


def _of(change: RuleChange, server: Prometheus, fresh: set[str]) -> Iterator[Effect]:
    old, new = change.old, change.new
    assert old is not None
    if new is None:
        for alert in old.active:
            yield _effect(old, alert, "resolves", "its rule is removed")
        return
    if change.resets:
        wait = format_duration(new.for_)
        for alert in old.active:
            why = f"its labels or group change: it ends, and begins anew with `for: {wait}`"
            yield _effect(old, alert, "resets", why)
        return
    asked = None
    if any(d.what.split()[0] in ("expression", "threshold", "window", "comparison", "number", "argument")
           for d in change.differences):  # fmt: skip
        asked = _after(new, server, fresh)
    for alert in old.active:
        if isinstance(asked, str):
            yield _effect(old, alert, "unknown", asked)
        elif asked is not None and not any(_fits(labels, alert, old, new) for labels in asked):
            yield _effect(old, alert, "resolves", "the new expression is not true for it now")
        elif alert.state == "pending" and new.for_ < old.for_:
            yield _effect(old, alert, "fires", f"sooner, after {format_duration(new.for_)}")


def _after(rule: LoadedRule, server: Prometheus, fresh: set[str]) -> list[dict[str, str]] | str:
    """The label sets of the new expression now, or why they cannot be known."""
    try:
        reads = promql.metric_names(promql.parse(rule.query, (3, 99))) & fresh
    except promql.PromqlError:
        reads = frozenset()
    if reads:
        return f"its new expression reads {', '.join(sorted(reads))}, which is not recorded yet"
    found = server.query(rule.query, problems := Problems())
    return f"its new expression could not be asked: {problems[0].message}" if found is None else found


def _fits(labels: dict[str, str], alert: ActiveAlert, old: LoadedRule, new: LoadedRule) -> bool:
    """Whether a result of the new expression is this alert; labels that the rule sets do not count."""
    own = {*old.labels, *new.labels, "alertname", "__name__"}
    mine = {name: value for name, value in alert.labels.items() if name not in own}
    return {name: value for name, value in labels.items() if name not in own and value} == mine


def _effect(rule: LoadedRule, alert: ActiveAlert, word: str, why: str) -> Effect:
    labels = tuple(sorted((k, v) for k, v in alert.labels.items() if k != "alertname"))
    return Effect(rule.name, labels, alert.state, word, why)
