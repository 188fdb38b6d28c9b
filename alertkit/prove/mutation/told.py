"""Mutants that the generated cases let pass, against what people wrote: scenarios and plain promtool files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import TypeVar

from alertkit.compile.ruleset import Alert, Record, Rule
from alertkit.prove.coverage.points import SCENARIO, WRITTEN
from alertkit.prove.mutation.mutate import Mutant
from alertkit.prove.mutation.repository import changed_node, rule_of
from alertkit.prove.plain.repository import FoundRule, PlainTest, Repository, needed, sliced
from alertkit.prove.plain.repository_run import cost_of, passed
from alertkit.prove.running.pool import outputs
from alertkit.prove.running.results import Result, id_of
from alertkit.prove.running.runner import Run
from alertkit.prove.scenarios.file import Prepared
from alertkit.prove.scenarios.run import ids_of, prove_scenarios
from alertkit.source import Problems, Span
from alertkit.toolchain import Tool, open_scratch, usable_cores

Progress = Callable[[int, int], None]
T = TypeVar("T")
_NOWHERE = Span("", 1, 1)


def hunt_told(
    mutants: Sequence[Mutant], scenarios: Sequence[Prepared], plain: Repository, failed: AbstractSet[str],
    promtool: Tool, jobs: int, problems: Problems, progress: Progress = lambda done, total: None,
) -> None:  # fmt: skip
    """Run the survivors among `mutants` against every scenario and test that loads their rule, until one notices.

    `failed` are the ids of results that fail already: scenarios and tests with such a one take no part.
    """
    sound = [one for one in scenarios if not failed & set(ids_of(one))]
    with open_scratch(problems) as scratch:
        if scratch is None:
            return
        # What promtool says of a mutant is of no use to anybody afterwards.
        run = Run(promtool, scratch.path / "words", jobs)
        _rounds(mutants, lambda mutant: [one for one in sound if _loads(one, mutant)], progress, problems,
                lambda rows: _noticed_by_scenarios(rows, run, problems))  # fmt: skip
    tests = [t for t in plain.tests if id_of(t.path.name.split(".")[0], "", "", t.title) not in failed]
    places = [(test, _places(test)) for test in tests]
    _rounds(mutants, lambda mutant: [(t, found[key]) for t, found in places if (key := _key(mutant)) in found],
            progress, problems, lambda rows: _noticed_by_tests(rows, promtool, jobs, problems))  # fmt: skip


def _rounds(
    mutants: Sequence[Mutant], cases: Callable[[Mutant], list[T]], progress: Progress, problems: Problems,
    notice: Callable[[list[tuple[Mutant, T]]], None],
) -> None:  # fmt: skip
    """One case more for each survivor, as long as there are any."""
    waiting = [(mutant, left) for mutant in mutants if mutant.state == "survived" and (left := cases(mutant))]
    total = len(waiting)
    while waiting and not problems:
        progress(total - len(waiting), total)
        notice([(mutant, left.pop(0)) for mutant, left in waiting])
        waiting = [(mutant, left) for mutant, left in waiting if mutant.state == "survived" and left]


def _loads(one: Prepared, mutant: Mutant) -> bool:
    if one.scenario.system != mutant.system:
        return False
    before = mutant.change.before
    if isinstance(before, Record):
        return any(record is before for record in one.records)
    return any(rule is before for alert in one.alerts for rule in alert.rules)


def _noticed_by_scenarios(rows: list[tuple[Mutant, Prepared]], run: Run, problems: Problems) -> None:
    changed = [_changed(one, mutant) for mutant, one in rows]
    results = [event for event in prove_scenarios(changed, run, problems) if isinstance(event, Result)]
    if problems:
        return
    place = 0
    for (mutant, one), prepared in zip(rows, changed, strict=True):
        mine = results[place : place + len(prepared.times)]
        place += len(mine)
        if not all(result.passed for result in mine):
            mutant.state, mutant.source = "noticed", SCENARIO
            mutant.by = one.scenario.name


def _changed(one: Prepared, mutant: Mutant) -> Prepared:
    before, after = mutant.change.before, mutant.change.after

    def mend(alert: Alert) -> Alert:
        rules = tuple(after if rule is before else rule for rule in alert.rules)
        return alert._replace(rules=rules)  # type: ignore[arg-type]

    if isinstance(before, Record):
        records = tuple(after if record is before else record for record in one.records)
        return replace(one, records=records)  # type: ignore[arg-type]
    return replace(one, alerts=tuple(map(mend, one.alerts)))


def _key(mutant: Mutant) -> Rule | Record:
    return mutant.change.before._replace(span=_NOWHERE)


def _places(test: PlainTest) -> dict[Rule | Record, FoundRule]:
    """The rules that matter to a test, by what they are."""
    rules = needed(test)
    if rules is None:
        rules = [rule for file in test.rules for group in file.groups or () for rule in group.rules]
    return {rule_of(found)._replace(span=_NOWHERE): found for found in rules}


def _noticed_by_tests(
    rows: list[tuple[Mutant, tuple[PlainTest, FoundRule]]], promtool: Tool, jobs: int, problems: Problems
) -> None:
    units = []
    for mutant, (test, found) in rows:
        files, text = sliced(test, {id(found): changed_node(found, mutant.change)})
        units.append([*files, ("test.yml", text)])
    costs = [cost_of(test) for _, (test, _) in rows]
    for index, text in outputs(units, costs, promtool, jobs or usable_cores(), problems):
        mutant, (test, _) = rows[index]
        if not passed(text):
            mutant.state, mutant.source, mutant.by = "noticed", WRITTEN, test.title
