"""From a question and its levels to the PromQL of rules: comparison, hysteresis, guards, missing data.

An expression is drafted with the signal left open, because a signal that is used more than once becomes a
recording rule of the group and is then only named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from alertkit.kinds import Comparison, Question
from alertkit.kinds.question import by, on
from alertkit.spec.duration import format_duration
from alertkit.spec.quantity import format_number
from alertkit.spec.selector import Selector, quoted

HOUR = 3_600_000


class Draft(NamedTuple):
    """An expression with a NUL wherever a signal stands; `signals` are their PromQL, in that order."""

    text: str
    signals: tuple[str, ...]

    def fill(self, names: dict[str, str]) -> str:
        """The PromQL, with a record's name wherever the signal is recorded."""
        before, *others = self.text.split("\0", len(self.signals))
        return before + "".join([names.get(s, s) + other for s, other in zip(self.signals, others, strict=True)])


def _worst(question: Question, op: str) -> str:
    """The value of the worst series of each identity, as the comparison points."""
    return by("min" if op in ("<", "<=") else "max", question.known_identity, question.signal)


def draft(question: Question, comparisons: Sequence[Comparison], clear: tuple[Comparison, str] | None) -> Draft:
    """The condition of one level; `clear` are the comparison that keeps it firing, and what `firing` says."""
    signals: list[str] = []
    parts: list[str] = []
    if question.nan and comparisons[0].op == "!=":
        # NaN differs from every number, but is neither below nor above one.
        comparisons = [Comparison(op, comparison.value) for comparison in comparisons for op in "<>"]
    for comparison in comparisons:
        if question.worst and comparison.op in ("==", "!="):
            parts.append(by("max", question.known_identity, f"{question.signal} {comparison}"))
            continue
        signal = _worst(question, comparison.op) if question.worst else question.signal
        parts.append(f"\0 {comparison}")
        signals.append(signal)
        if clear is not None:
            keep, alerts = clear
            parts.append(f"(\0 {keep} and {alerts})")
            signals.append(signal)
    return Draft(guarded("\nor\n".join(parts), question), tuple(signals))


def guarded(condition: str, question: Question) -> str:
    """The condition, silent unless every guard of the question has an element."""
    if not question.guards:
        return condition
    if "\nor\n" in condition:
        condition = f"({condition})"
    return condition + "".join(f"\nand {on(question.known_identity)}\n{guard}" for guard in question.guards)


def firing(
    alert: str, severity: str, system: str, identity: Sequence[str], variables: Mapping[str, str]
) -> str:  # fmt: skip
    """The ALERTS series of one level while it fires, with the clause that matches them to the signal.

    Of a copy only its own: `variables` of `for_each` are labels of the rule, whatever its signal has.
    """
    labels = {"alertname": alert, "alertstate": "firing", "severity": severity, "system": system, **variables}
    own = ",".join(f"{label}={quoted(value)}" for label, value in labels.items())
    return f"{on([label for label in identity if label not in variables])} ALERTS{{{own}}}"


def memory_of(patience: int) -> int:
    """How long it is known what was there (milliseconds), which must outlast the companion's `for`."""
    return max(HOUR, 2 * patience)


def gone(identity: Sequence[str], inputs: Sequence[Selector], patience: int, together: bool = False) -> str:
    """True while data that was there is gone: for each identity seen in the last hour, and for the whole metric.

    `patience` (milliseconds) is the companion's `for`. `together`: all the inputs are gone.
    """
    memory = format_duration(memory_of(patience))
    parts = []
    texts = [*map(str, inputs)]
    for group in [texts] if together else [[one] for one in texts]:
        known = " or ".join([f"last_over_time({selector}[{memory}])" for selector in group])
        there = " or ".join(group)
        if identity:
            parts.append(f"({by('group', identity, known)} unless {on(identity)} {by('group', identity, there)})")
        absent = "absent_over_time({}[" + memory + "])" if identity else "absent({})"
        parts.append(" and on () ".join([absent.format(selector) for selector in group]))
    return "\nor\n".join(parts)


def threshold_text(value: float) -> str:
    """A threshold as it stands in the rule."""
    return format_number(value)
