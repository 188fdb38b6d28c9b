"""Every single change to a compiled rule or record that its proofs should notice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alertkit.compile.ruleset import Pairs, Record, Rule
from alertkit.promql import PromqlError, mutants, parse, to_text
from alertkit.promql.tree import Expr
from alertkit.spec.duration import format_duration

# The words that a changed label or annotation ends with.
MARK = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One rule or record before and after a mistake: a stable `kind`, and what was done in words."""

    kind: str
    words: str
    before: Rule | Record
    after: Rule | Record

    @property
    def tree(self) -> Expr:
        """The changed expression."""
        return parse(self.after.expr)


def changes_of(rule: Rule | Record) -> Iterator[Change]:
    """All changes to a rule or record, those of the expression first; nothing for an expression that cannot be read."""
    try:
        tree = parse(rule.expr)
    except PromqlError:
        return
    for mutant in mutants(tree):
        yield Change(mutant.kind, mutant.description, rule, rule._replace(expr=to_text(mutant.expr)))
    if isinstance(rule, Rule):
        yield from _fields(rule)


def _fields(rule: Rule) -> Iterator[Change]:
    if rule.for_:
        shown = format_duration(rule.for_)
        yield Change("for-dropped", f"`for: {shown}` is gone", rule, rule._replace(for_=0))
        for kind, changed in (("for-halved", rule.for_ // 2), ("for-doubled", rule.for_ * 2)):
            words = f"`for: {shown}` became {format_duration(changed)}"
            yield Change(kind, words, rule, rule._replace(for_=changed))
    if rule.keep_firing_for:
        shown = format_duration(rule.keep_firing_for)
        yield Change(
            "keep_firing_for-dropped", f"`keep_firing_for: {shown}` is gone", rule, rule._replace(keep_firing_for=0)
        )
    for name, value in rule.labels:
        kind = "severity" if name == "severity" else "label"
        yield Change(
            kind, f"the label `{name}` became `{_changed(value)}`", rule,
            rule._replace(labels=_with(rule.labels, name, _changed(value))),
        )  # fmt: skip
    for name, value in rule.annotations:
        yield Change(
            "annotation", f"the annotation `{name}` got another text", rule,
            rule._replace(annotations=_with(rule.annotations, name, f"{value} {MARK}")),
        )  # fmt: skip


def _changed(value: str) -> str:
    return f"{value}-{MARK}"


def _with(pairs: Pairs, name: str, value: str) -> Pairs:
    return tuple((key, value if key == name else old) for key, old in pairs)
