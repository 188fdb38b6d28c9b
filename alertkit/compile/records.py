"""Recording rules: signals that alerts use more than once, and what a kind records for itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from alertkit.compile.claim import Claim
from alertkit.compile.expression import Draft
from alertkit.compile.read import Entry
from alertkit.compile.ruleset import Pairs, Record, Rule
from alertkit.kinds import Question

_NAME = re.compile(r"[\w:]+")


# Labels, annotations and condition.
DraftedRule = tuple[Pairs, Pairs, Draft]


@dataclass(slots=True)
class Drafted:
    """An alert whose signals are not named yet; `renamed` are its kind's records that have another name in the end.

    Without a claim, `unproven` says why where its kind does not know.
    """

    entry: Entry
    question: Question
    rules: list[DraftedRule]
    companion: Rule | None
    claim: Claim | None
    unproven: str
    renamed: dict[str, str] = field(default_factory=dict)

    def fill(self, draft: Draft, names: dict[str, str]) -> str:
        """The PromQL of one rule, with the names of records."""
        expr = draft.fill(names)
        return self._with_names(expr) if self.renamed else expr

    def finished_claim(self) -> Claim | None:
        if self.claim is None or not self.renamed:
            return self.claim
        return self.claim._replace(signal=self._with_names(self.claim.signal))

    def _with_names(self, expr: str) -> str:
        return _NAME.sub(lambda name: self.renamed.get(name[0], name[0]), expr)


def recorded(system: str, drafted: Sequence[Drafted]) -> tuple[tuple[Record, ...], dict[str, str]]:
    """A record for each signal that is used more than once, and signal -> record name."""
    uses: dict[str, int] = {}
    first: dict[str, Drafted] = {}
    for d in drafted:
        for _, _, condition in d.rules:
            for signal in condition.signals:
                uses[signal] = uses.get(signal, 0) + 1
                first.setdefault(signal, d)
    records: list[Record] = []
    names: dict[str, str] = {}
    taken: dict[str, str] = {}
    for signal, d in first.items():
        if uses[signal] < 2 or (d.question.bare and signal == d.question.signal):
            continue
        names[signal] = _free_name(_record_name(system, d.question, signal), signal, taken)
        records.append(Record(names[signal], signal, d.entry.span))
    for d in drafted:
        for wanted, expr in d.question.records:
            known = len(taken)
            name = _free_name(wanted, expr, taken)
            if name != wanted:
                d.renamed[wanted] = name
            if len(taken) > known:
                records.append(Record(name, expr, d.entry.span))
    return tuple(records), names


def _free_name(wanted: str, expr: str, taken: dict[str, str]) -> str:
    """The name under which `expr` is recorded: `wanted`, numbered where that is `taken` by another expression."""
    name, number = wanted, 1
    while taken.setdefault(name, expr) != expr:
        number += 1
        name = f"{wanted}_{number}"
    return name


def _record_name(system: str, question: Question, signal: str) -> str:
    """`level:metric:operations`; the level begins with the system, so that groups never share a name.

    Of a `worst` question, `signal` begins with the operator that was chosen, max or min.
    """
    level = "_".join([re.sub(r"\W", "_", system), *question.known_identity])
    operations = question.operations
    if question.worst:
        operations = "_".join(filter(None, (operations, signal[:3])))
    return f"{level}:{question.metric.replace(':', '_')}:{operations}"
