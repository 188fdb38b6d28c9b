"""Any rule set with plain promtool tests: each test of each file alone, with no more rules than can matter to it.

Files are cut as YAML nodes, so that every scalar stays as it was written. A rule is left out of a test only when that
is proven to change nothing: no expectation can see it, and it reads no series that the test or a kept rule makes, so
it cannot even fail to evaluate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from alertkit.emit.promtool import ExprTest
from alertkit.promql import PromqlError, parse, selectors, walk
from alertkit.promql.tree import Call, Expr
from alertkit.source import Problems, Span
from alertkit.source.yaml_nodes import field_of, scalar_of, sequence_of
from alertkit.spec.duration import format_duration
from alertkit.spec.project import read_text, shown_path

# A name that stands for every alert, or for every series.
EVERYTHING = "*"
# Functions that have a result without any series.
_FROM_NOTHING = frozenset({"absent", "absent_over_time", "vector", "scalar", "time", "pi"})
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@dataclass(frozen=True, slots=True, eq=False)
class FoundRule:
    """A rule of a rule file: what it is called, what it reads, and its node.

    `reads` are metric names, `*` when it may read any; `states` the alerts whose `ALERTS` it reads.
    `constant`: it may have a result without any series.
    """

    name: str
    is_alert: bool
    expr: str
    reads: frozenset[str]
    states: frozenset[str]
    constant: bool
    node: yaml.MappingNode
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class FoundGroup:
    """A rule group; `head` are its other fields."""

    name: str
    head: tuple[tuple[yaml.Node, yaml.Node], ...]
    rules: tuple[FoundRule, ...]


@dataclass(frozen=True, slots=True, eq=False)
class RuleSet:
    """The groups of one rule file; None as `groups` when it must be taken whole, because it cannot be read here."""

    path: Path
    groups: tuple[FoundGroup, ...] | None


@dataclass(frozen=True, slots=True, eq=False)
class PlainTest:
    """One test of a file: its node, what it asks for, and the rule files it loads.

    `alerts` are the alert names asked for, `metrics` the metrics of its expressions, `series` those of its input.
    """

    path: Path
    index: int
    title: str
    span: Span
    node: yaml.MappingNode
    head: tuple[tuple[yaml.Node, yaml.Node], ...]
    rules: tuple[RuleSet, ...]
    alerts: frozenset[str]
    metrics: frozenset[str]
    series: frozenset[str]


@dataclass(slots=True)
class Repository:
    """All tests, and every rule file that any of them loads."""

    tests: list[PlainTest] = field(default_factory=list)
    files: dict[Path, RuleSet] = field(default_factory=dict)


def read_repository(paths: Sequence[Path], problems: Problems) -> Repository:
    """Read test files and the rule files they name; what promtool would pass over in silence is a problem."""
    repository = Repository()
    for path in paths:
        text = read_text(path, problems)
        if text is None:
            continue
        shown = shown_path(path)
        try:
            root = yaml.compose(text, Loader=Loader)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            span = Span(shown, mark.line + 1, mark.column + 1) if mark else Span(shown, 1, 1)
            problems.add("AK100", f"not YAML: {getattr(error, 'problem', None) or error}", span, "")
            continue
        if not isinstance(root, yaml.MappingNode):
            problems.add("AK801", "the file holds no tests", Span(shown, 1, 1), "add `tests:`")
            continue
        rules = _rule_files(path, root, repository, problems)
        head = tuple((k, v) for k, v in root.value if k.value not in ("tests", "rule_files"))
        tests = sequence_of(field_of(root, "tests"))
        if not tests:
            problems.add("AK801", "the file holds no tests", Span(shown, 1, 1), "add `tests:`, or remove the file")
        for index, node in enumerate(tests):
            if isinstance(node, yaml.MappingNode):
                repository.tests.append(_test(path, index, node, head, rules))
    return repository


def _rule_files(path: Path, root: yaml.MappingNode, repository: Repository, problems: Problems) -> tuple[RuleSet, ...]:
    """The rule files that a test file loads, globs expanded as promtool does."""
    found: list[RuleSet] = []
    for node in sequence_of(field_of(root, "rule_files")):
        pattern = scalar_of(node)
        place = Path(pattern)
        matches = (
            sorted(Path(place.anchor).glob(str(place.relative_to(place.anchor))))
            if place.is_absolute()
            else sorted(path.parent.glob(pattern)) or [p for p in [path.parent / pattern] if p.is_file()]
        )
        if not matches:
            span = Span(shown_path(path), node.start_mark.line + 1, node.start_mark.column + 1)
            problems.add(
                "AK802", f"no rule file is at `{pattern}`", span,
                "promtool would test nothing and call it a success; paths are relative to this file",
            )  # fmt: skip
        for match in matches:
            key = match.resolve()
            if key not in repository.files:
                repository.files[key] = _rules_of(key)
            found.append(repository.files[key])
    return tuple(dict.fromkeys(found))


def _rules_of(path: Path) -> RuleSet:
    """The rules of a file; a file that is in any way unusual is taken whole."""
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=Loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return RuleSet(path, None)
    if not isinstance(root, yaml.MappingNode) or [k.value for k, _ in root.value] != ["groups"]:
        return RuleSet(path, None)
    groups = []
    for node in sequence_of(field_of(root, "groups")):
        if not isinstance(node, yaml.MappingNode):
            return RuleSet(path, None)
        rules = [_rule(path, rule) for rule in sequence_of(field_of(node, "rules"))]
        if not all(rules):
            return RuleSet(path, None)
        head = tuple((k, v) for k, v in node.value if k.value != "rules")
        groups.append(FoundGroup(scalar_of(field_of(node, "name")), head, tuple(rule for rule in rules if rule)))
    return RuleSet(path, tuple(groups))


def _rule(path: Path, node: yaml.Node) -> FoundRule | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    alert, record = scalar_of(field_of(node, "alert")), scalar_of(field_of(node, "record"))
    expr = scalar_of(field_of(node, "expr"))
    try:
        tree = parse(expr)
    except PromqlError:
        return None
    reads, states = names_read(tree)
    constant = not reads or any(isinstance(n, Call) and n.name in _FROM_NOTHING for n in walk(tree))
    if bool(alert) == bool(record):
        return None
    span = Span(shown_path(path), node.start_mark.line + 1, node.start_mark.column + 1)
    return FoundRule(alert or record, bool(alert), expr, reads, states, constant, node, span)


def names_read(expr: Expr) -> tuple[frozenset[str], frozenset[str]]:
    """The metrics that an expression reads, and the alerts whose states it reads; `*` where it may be any."""
    metrics: set[str] = set()
    states: set[str] = set()
    for selector, _, _ in selectors(expr):
        name = selector.name or next(
            (m.value for m in selector.matchers if m.label == "__name__" and m.op == "="), EVERYTHING
        )
        if name in ("ALERTS", "ALERTS_FOR_STATE", EVERYTHING):
            equal = [m.value for m in selector.matchers if m.label == "alertname" and m.op == "=" and m.value]
            states.add(equal[0] if equal else EVERYTHING)
        metrics.add(name)
    return frozenset(metrics), frozenset(states)


def _test(
    path: Path, index: int, node: yaml.MappingNode, head: tuple[tuple[yaml.Node, yaml.Node], ...],
    rules: tuple[RuleSet, ...],
) -> PlainTest:  # fmt: skip
    alerts = {scalar_of(field_of(test, "alertname")) for test in sequence_of(field_of(node, "alert_rule_test"))}
    metrics: set[str] = set()
    for test in sequence_of(field_of(node, "promql_expr_test")):
        try:
            read, states = names_read(parse(scalar_of(field_of(test, "expr"))))
        except PromqlError:
            read, states = frozenset({EVERYTHING}), frozenset({EVERYTHING})
        metrics |= read
        alerts |= states
    series = {_metric(scalar_of(field_of(s, "series"))) for s in sequence_of(field_of(node, "input_series"))}
    title = scalar_of(field_of(node, "name")) or f"test {index + 1}"
    span = Span(shown_path(path), node.start_mark.line + 1, node.start_mark.column + 1)
    return PlainTest(
        path, index, title, span, node, head, rules, frozenset(alerts), frozenset(metrics), frozenset(series)
    )


def _metric(series: str) -> str:
    """The metric of an input series; `*` when it cannot be told."""
    name = series.partition("{")[0].strip()
    return name or EVERYTHING


def needed(test: PlainTest) -> list[FoundRule] | None:
    """The rules that can matter to a test, in the order of the files; None when they all may."""
    if any(rules.groups is None for rules in test.rules):
        return None
    everything = [rule for rules in test.rules for group in rules.groups or () for rule in group.rules]
    if EVERYTHING in test.alerts or EVERYTHING in test.metrics or EVERYTHING in test.series:
        return None
    kept: set[int] = set()
    present = set(test.series)
    if any(rule.is_alert and rule.constant for rule in everything):
        present |= {"ALERTS", "ALERTS_FOR_STATE"}
    asked = set(test.metrics)
    alerts = set(test.alerts)
    changed = True
    while changed:
        changed = False
        for rule in everything:
            if id(rule) in kept:
                continue
            own = rule.name in alerts if rule.is_alert else rule.name in asked or rule.constant
            if not (own or EVERYTHING in rule.reads or EVERYTHING in alerts or rule.reads & present):
                continue
            kept.add(id(rule))
            changed = True
            asked |= rule.reads
            alerts |= rule.states
            if not rule.is_alert:
                present.add(rule.name)
            else:
                present |= {"ALERTS", "ALERTS_FOR_STATE"}
    return [rule for rule in everything if id(rule) in kept]


def sliced(
    test: PlainTest, changed: dict[int, yaml.MappingNode] | None = None, beside: Sequence[tuple[str, str]] = ()
) -> tuple[list[tuple[str, str]], str]:
    """The rule files (name, text) and the test file of one test; `changed` replaces rules by their id.

    `beside` are rule files that it loads too, all of them.
    The test file names the rule files by their names, which are unique in it.
    """
    kept = needed(test)
    wanted = None if kept is None else {id(rule) for rule in kept}
    changed = changed or {}
    files = []
    for number, rules in enumerate(test.rules):
        if rules.groups is None:
            files.append((f"r{number}.yml", rules.path.read_text(encoding="utf-8")))
            continue
        groups = [
            _group_node(group, [changed.get(id(rule), rule.node) for rule in group.rules if _in(rule, wanted)])
            for group in rules.groups
            if wanted is None or any(_in(rule, wanted) for rule in group.rules)
        ]
        if groups:
            root = _mapping([(_text("groups"), _list(groups))])
            files.append((f"r{number}.yml", _dump(root)))
    files += beside
    names = _list([_text(name) for name, _ in files])
    head = [(k, v) for k, v in test.head]
    root = _mapping([(_text("rule_files"), names), *head, (_text("tests"), _list([test.node]))])
    return files, _dump(root)


def asking(test: PlainTest, exprs: Iterable[ExprTest], last: str) -> PlainTest:
    """The test with these expectations, which want no sample, instead of its own; the rule group `last` comes last."""
    asked = [
        _mapping(
            [
                (_text("expr"), _text(expr.expr)),
                (_text("eval_time"), _text(format_duration(expr.time))),
                (_text("exp_samples"), _list([])),
            ]
        )
        for expr in exprs
    ]
    kept = [(k, v) for k, v in test.node.value if k.value not in ("alert_rule_test", "promql_expr_test")]
    head = [
        (key, _list([*sequence_of(value), _text(last)]) if key.value == "group_eval_order" else value)
        for key, value in test.head
    ]
    node = _mapping([*kept, (_text("promql_expr_test"), _list(asked))])
    return replace(test, node=node, head=tuple(head))


def _in(rule: FoundRule, wanted: set[int] | None) -> bool:
    return wanted is None or id(rule) in wanted


def _group_node(group: FoundGroup, rules: Iterable[yaml.MappingNode]) -> yaml.Node:
    return _mapping([*group.head, (_text("rules"), _list(list(rules)))])


def _mapping(pairs: Sequence[tuple[yaml.Node, yaml.Node]]) -> yaml.MappingNode:
    return yaml.MappingNode("tag:yaml.org,2002:map", list(pairs), flow_style=False)


def _list(items: Sequence[yaml.Node]) -> yaml.SequenceNode:
    return yaml.SequenceNode("tag:yaml.org,2002:seq", list(items), flow_style=False)


def _text(value: str) -> yaml.ScalarNode:
    return yaml.ScalarNode("tag:yaml.org,2002:str", value, style='"')


def _dump(node: yaml.Node) -> str:
    text: str = yaml.serialize(node, Dumper=Dumper, allow_unicode=True, width=1_000_000)
    return text


def all_rules(repository: Repository) -> Iterator[FoundRule]:
    """Every rule of every file, in order."""
    for rules in repository.files.values():
        for group in rules.groups or ():
            yield from group.rules
