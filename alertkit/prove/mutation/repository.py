"""Mutants of rules that have plain promtool tests: each runs against the tests that ask for its rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import yaml

from alertkit.compile.ruleset import Pairs, Record, Rule
from alertkit.prove.coverage.points import WRITTEN
from alertkit.prove.mutation.changes import Change, changes_of
from alertkit.prove.mutation.equivalent import equivalent
from alertkit.prove.mutation.mutate import Mutant
from alertkit.prove.plain.repository import EVERYTHING, FoundRule, PlainTest, Repository, all_rules, needed, sliced
from alertkit.prove.plain.repository_run import Verdicts, cost_of, passed, run_units
from alertkit.source import Problems
from alertkit.source.yaml_nodes import field_of, scalar_of
from alertkit.spec.duration import format_duration, parse_duration
from alertkit.toolchain import Tool, usable_cores

_STR = "tag:yaml.org,2002:str"


def rule_of(found: FoundRule) -> Rule | Record:
    """The rule as the compiler would have made it."""
    if not found.is_alert:
        return Record(found.name, found.expr, found.span)
    return Rule(
        found.name, found.expr, _time(found, "for"), _time(found, "keep_firing_for"), _pairs(found, "labels"),
        _pairs(found, "annotations"), found.span,
    )  # fmt: skip


def _time(found: FoundRule, name: str) -> int:
    return parse_duration(scalar_of(field_of(found.node, name)) or "0s") or 0


def _pairs(found: FoundRule, name: str) -> Pairs:
    node = field_of(found.node, name)
    if not isinstance(node, yaml.MappingNode):
        return ()
    return tuple((scalar_of(key), scalar_of(value)) for key, value in node.value)


def changed_node(found: FoundRule, change: Change) -> yaml.MappingNode:
    """The rule's node with the fields that the change touches, everything else as it was written."""
    before, after = change.before, change.after
    fields: dict[str, yaml.Node | None] = {}
    if before.expr != after.expr:
        fields["expr"] = _scalar(after.expr)
    if isinstance(before, Rule) and isinstance(after, Rule):
        for name, old, new in (
            ("for", before.for_, after.for_), ("keep_firing_for", before.keep_firing_for, after.keep_firing_for),
        ):  # fmt: skip
            if old != new:
                fields[name] = _scalar(format_duration(new)) if new else None
        if before.labels != after.labels:
            fields["labels"] = _map(after.labels)
        if before.annotations != after.annotations:
            fields["annotations"] = _map(after.annotations)
    pairs = [(key, fields.get(key.value, value)) for key, value in found.node.value]
    return yaml.MappingNode(found.node.tag, [(k, v) for k, v in pairs if v is not None], flow_style=False)


def _scalar(text: str) -> yaml.Node:
    return yaml.ScalarNode(_STR, text, style='"')


def _map(pairs: Pairs) -> yaml.Node:
    return yaml.MappingNode("tag:yaml.org,2002:map", [(_scalar(k), _scalar(v)) for k, v in pairs], flow_style=False)


def mutants_of_repository(
    repository: Repository, wanted: Callable[[str], bool]
) -> Iterator[tuple[Mutant, FoundRule, list[PlainTest]]]:
    """Every mutant of every rule whose `file::name` is `wanted`, with the tests that ask for it."""
    kept = [(test, needed(test)) for test in repository.tests]
    records = {rule.name: rule.expr for rule in all_rules(repository) if not rule.is_alert}
    number = 0
    for found in all_rules(repository):
        place = found.span.path.rpartition("/")[2].partition(".")[0]
        if not wanted(f"{place}::{found.name}"):
            continue
        tests = [
            test
            for test, rules in kept
            if (rules is None or any(rule is found for rule in rules))
            and (not found.is_alert or found.name in test.alerts or EVERYTHING in test.alerts)
        ]
        readers: list[Rule] = []
        for change in changes_of(rule_of(found)):
            mutant = Mutant(number, place, found.name, change, [])
            number += 1
            why = None if isinstance(change.before, Record) else equivalent(change, readers, records)
            if why:
                mutant.state, mutant.why = "equivalent", why
            elif not tests:
                mutant.state, mutant.why = "survived", "no test asks for it"
            yield mutant, found, tests


def hunt_repository(
    repository: Repository, wanted: Callable[[str], bool], promtool: Tool, jobs: int, verdicts: Verdicts,
    problems: Problems, progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Mutant]:  # fmt: skip
    """Run every mutant against its tests, one after the other, until one fails. Only tests that pass count."""
    rows = list(mutants_of_repository(repository, wanted))
    units = [_unit(test, {}) for test in repository.tests]
    cores = jobs or usable_cores()
    costs = [cost_of(test) for test in repository.tests]
    sound = {
        id(repository.tests[i])
        for i, text in run_units(units, costs, promtool, cores, verdicts, problems)
        if passed(text)
    }
    waiting = [
        (mutant, found, [t for t in tests if id(t) in sound]) for mutant, found, tests in rows if not mutant.state
    ]
    while waiting and not problems:
        for mutant, _, tests in waiting:
            if not tests:
                mutant.state, mutant.why = "survived", mutant.why
        waiting = [row for row in waiting if row[2]]
        progress(len(rows) - len(waiting), len(rows))
        now = [_unit(tests[0], {id(found): changed_node(found, mutant.change)}) for mutant, found, tests in waiting]
        prices = [cost_of(tests[0]) for _, _, tests in waiting]
        for index, text in run_units(now, prices, promtool, cores, verdicts, problems):
            mutant, _, tests = waiting[index]
            if passed(text):
                tests.pop(0)
            else:
                mutant.state, mutant.by, mutant.source = "noticed", tests[0].title, WRITTEN
        waiting = [row for row in waiting if not row[0].state]
    return [mutant for mutant, _, _ in rows]


def _unit(test: PlainTest, changed: dict[int, yaml.MappingNode]) -> list[tuple[str, str]]:
    files, text = sliced(test, changed)
    return [*files, ("test.yml", text)]
