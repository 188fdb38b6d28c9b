"""What mutation showed: a score for each alert, each survivor with the diff of its rule and the case it asks for."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from alertkit.compile.ruleset import Record, Rule
from alertkit.emit.rules import group_text
from alertkit.promql import parse, prettify
from alertkit.prove.coverage.points import SCENARIO, WRITTEN
from alertkit.prove.mutation.changes import Change
from alertkit.prove.mutation.mutate import Mutant
from alertkit.source.problem import Style

# For each kind of change, the case that would catch it.
CATCHES = {
    "comparison-flipped": "A case in which this comparison decides: its left side once above and once below the right.",
    "comparison-strictness": "A case with the value exactly at the threshold.",
    "threshold": "A case with this value just inside and one just past the threshold.",
    "window": "A case in which something happened between the shorter and the longer of the two windows ago.",
    "function": "A case with uneven steps, where the two functions differ.",
    "aggregation": "A case with two series in one group that have different values.",
    "grouping": "A case with two series that differ in this label only, one of them bad.",
    "matcher-dropped": "A case with a series that only this matcher keeps out, and whose value is harmful.",
    "matcher-negated": "A case with a series that this matcher lets in, while it decides.",
    "branch-removed": "A case in which only this branch is true.",
    "guard-removed": "A case in which the condition holds and the guard does not: expect silence.",
    "guard-inverted": "A case in which condition and guard both hold, and one in which the guard does not.",
    "for-dropped": "A case that is bad for less than `for`: expect silence.",
    "for-halved": "A case that expects silence right before `for` is over.",
    "for-doubled": "A case that expects the alert as soon as `for` is over.",
    "keep_firing_for-dropped": "A case that expects the alert to go on firing after it is well again.",
    "severity": "A case that compares the labels of the alert.",
    "label": "A case that compares the labels of the alert.",
    "annotation": "A case that compares the annotations of the alert.",
}


@dataclass(frozen=True, slots=True)
class Score:
    """How many of some mutants were noticed; equivalent ones do not count."""

    mutants: int
    equivalent: int
    noticed: int

    @property
    def survived(self) -> int:
        return self.mutants - self.equivalent - self.noticed

    @property
    def percent(self) -> float:
        """Of those that are not equivalent; 100 when there are none."""
        counted = self.mutants - self.equivalent
        return 100.0 * self.noticed / counted if counted else 100.0

    def __str__(self) -> str:
        return f"{self.percent:5.1f}%  {self.noticed} of {self.mutants - self.equivalent} noticed" + (
            f", {self.equivalent} equivalent" if self.equivalent else ""
        )


def score(mutants: Sequence[Mutant]) -> Score:
    states = [mutant.state for mutant in mutants]
    return Score(len(states), states.count("equivalent"), states.count("noticed"))


def by_alert(mutants: Sequence[Mutant]) -> dict[tuple[str, str], list[Mutant]]:
    """The mutants of each alert (system, name), in the order in which they came."""
    found: dict[tuple[str, str], list[Mutant]] = {}
    for mutant in mutants:
        found.setdefault((mutant.system, mutant.alert), []).append(mutant)
    return found


def catch(change: Change) -> str:
    """One sentence on the case that would have caught it."""
    return CATCHES.get(change.kind, "A case in which the two rules differ.")


def diff(change: Change) -> Iterator[str]:
    """The lines in which the rule and its mutant differ, with a line of context."""
    before, after = _text(change.before), _text(change.after)
    for line in list(difflib.unified_diff(before, after, lineterm="", n=1))[2:]:
        if not line.startswith("@@"):
            yield line


def _text(rule: Rule | Record) -> list[str]:
    records: tuple[Record, ...] = ()
    rules: tuple[Rule, ...] = ()
    if isinstance(rule, Record):
        records = (Record(rule.name, prettify(parse(rule.expr)), rule.span),)
    else:
        rules = (
            Rule(
                rule.alert, prettify(parse(rule.expr)), rule.for_, rule.keep_firing_for, rule.labels,
                rule.annotations, rule.span,
            ),
        )  # fmt: skip
    return [row.removeprefix("      ") for row in group_text("", "", None, records, rules).split("\n")[2:]]


def show(mutants: Sequence[Mutant], say: Callable[[str], None], style: Style, verbose: bool, seconds: float) -> None:
    """The report for people: alerts with survivors (all with `verbose`), then the total."""
    for (system, alert), mine in by_alert(mutants).items():
        result = score(mine)
        if not result.survived and not verbose:
            continue
        say(f"{style.bold}{system} {alert}{style.reset}  {result}")
        for mutant in mine:
            change = mutant.change
            if mutant.state == "survived":
                say(f"  {style.error}survived{style.reset} {change.kind}: {change.words}   "
                    f"{style.dim}{change.before.span}{style.reset}")  # fmt: skip
                for line in diff(change):
                    say(f"      {line}")
                say(f"      {catch(change)}")
            elif mutant.state == "equivalent" and verbose:
                say(f"  {style.dim}equivalent {change.kind}: {change.words}; {mutant.why}{style.reset}")
    kinds: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        kinds.setdefault(mutant.change.kind, []).append(mutant)
    for kind in sorted(kinds):
        say(f"  {kind:24} {score(kinds[kind])}")
    total = score(mutants)
    say(f"{total.percent:.1f}% of mistakes noticed: {total.mutants} mutants, {total.equivalent} equivalent, "
        f"{total.noticed} noticed{_told(mutants)}, {total.survived} survived, in {seconds:.1f} s")  # fmt: skip


def _told(mutants: Sequence[Mutant]) -> str:
    """How many were noticed only by what people wrote."""
    sources = [mutant.source for mutant in mutants if mutant.source]
    names = {SCENARIO: "scenarios", WRITTEN: "plain files"} if set(sources) != {WRITTEN} else {}
    parts = [f"{sources.count(source)} by {name}" for source, name in names.items() if source in sources]
    return f" ({', '.join(parts)} alone)" if parts else ""


def as_json(mutants: Sequence[Mutant]) -> str:
    """Everything as one JSON object: totals, a row for each alert and for each mutant."""
    total = score(mutants)

    def row(result: Score) -> dict[str, object]:
        return {
            "mutants": result.mutants, "equivalent": result.equivalent, "noticed": result.noticed,
            "survived": result.survived, "percent": round(result.percent, 2),
        }  # fmt: skip

    body = {
        **row(total),
        "alerts": [
            {"system": system, "alert": alert, **row(score(mine))}
            for (system, alert), mine in by_alert(mutants).items()
        ],
        "results": [
            {
                "system": m.system, "alert": m.alert, "rule": _name(m.change.before), "kind": m.change.kind,
                "change": m.change.words, "state": m.state, "why": m.why, "noticed_by": m.by, "source": m.source,
                "file": m.change.before.span.path, "line": m.change.before.span.line,
                **({"diff": list(diff(m.change)), "catch": catch(m.change)} if m.state == "survived" else {}),
            }
            for m in mutants
        ],
    }  # fmt: skip
    return json.dumps(body, indent=2, ensure_ascii=False)


def _name(rule: Rule | Record) -> str:
    return rule.name if isinstance(rule, Record) else f"{rule.alert} {rule.severity}".rstrip()
