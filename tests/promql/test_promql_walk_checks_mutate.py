"""Walking, types, conditions and mutants."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from promql_support import CORPUS, needs_promtool, refused
from promql_trees import vectors

from alertkit.promql import Expr, parse, to_text
from alertkit.promql.checks import has_comparison, returns_instant_vector, value_type
from alertkit.promql.mutate import mutants
from alertkit.promql.tree import NumberLiteral, Selector
from alertkit.promql.walk import children, metric_names, replace_child, replace_children, selectors, transform, walk


def test_walk_goes_in_the_order_of_the_text() -> None:
    nodes = [type(node).__name__ for node in walk(parse("topk(3, rate(a[5m])) > (b)"))]
    assert nodes == [
        "Binary", "Aggregate", "NumberLiteral", "Call", "MatrixSelector", "Selector", "Paren", "Selector",
    ]  # fmt: skip


def test_selectors_with_the_time_they_look_back() -> None:
    found = selectors(parse("rate(a[5m]) + max_over_time(sum(rate(b[1m]) > c)[1h:1m])"))
    assert [(use.selector.name, use.range, use.subqueries) for use in found] == [
        ("a", 300_000, 0),
        ("b", 60_000, 3_600_000),
        ("c", None, 3_600_000),
    ]


def test_metric_names() -> None:
    assert metric_names(parse('a / on (x) b{y="z"} > {__name__="c d"} or {__name__=~"e.*"}')) == {"a", "b", "c d"}


def test_transform_changes_copies_and_keeps_the_rest() -> None:
    tree = parse("a + rate(b[5m])")

    def rename(node: Expr) -> Expr:
        return Selector("new", node.matchers) if isinstance(node, Selector) and node.name == "b" else node

    changed = transform(tree, rename)
    assert to_text(changed) == "a + rate(new[5m])"
    assert to_text(tree) == "a + rate(b[5m])"
    assert children(changed)[0] is children(tree)[0]


def test_replace_child_adds_needed_parentheses_when_printed() -> None:
    tree = parse("a * b")
    assert to_text(replace_child(tree, 1, parse("c + d"))) == "a * (c + d)"
    assert to_text(replace_child(parse("a ^ b"), 0, NumberLiteral(-2.0))) == "(-2) ^ b"
    with pytest.raises(IndexError):
        replace_child(tree, 2, tree)


@pytest.mark.parametrize("text", CORPUS)
def test_children_and_replacing_them_fit(text: str) -> None:
    for node in walk(parse(text)):
        assert replace_children(node, children(node)) == node


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1 + 2", "scalar"), ("-1", "scalar"), ("time() > bool 1", "scalar"), ("scalar(x)", "scalar"),
        ("(1)", "scalar"),
        ("x", "vector"), ("1 + x", "vector"), ("-x", "vector"), ("sum(x)", "vector"), ("vector(1)", "vector"),
        ("x[5m]", "matrix"), ("x[5m:]", "matrix"), ('"s"', "string"), ('("s")', "string"),
    ],
)  # fmt: skip
def test_value_type(text: str, kind: str) -> None:
    assert value_type(parse(text)) == kind
    assert returns_instant_vector(parse(text)) == (kind == "vector")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", False), ("x > 1", True), ("x > bool 1", False), ("(x == 0)", True), ("sum(x)", False),
        ("sum(x > 1)", True), ("sum(x) > 1", True), ("-(x > 1)", True), ("abs(x > 1)", True), ("(x > 1) * 100", True),
        ("(x > bool 1) * y", False), ("x and y", False), ("x and y > 1", True), ("x unless y", True),
        ("x > 1 or y > 1", True), ("x > 1 or y", False), ("x > 1 or vector(0)", False), ("absent(x)", True),
        ("absent_over_time(x[5m])", True), ("vector(1)", False), ("vector(scalar(x > 1))", False),
        ("vector(time()) > 5", True), ("time() - x > 5", True), ("topk(1, x)", False),
        ("max_over_time((x > 1)[5m:])", True), ("max_over_time(x[5m])", False), ('ALERTS{alertstate="firing"}', True),
        ("x + scalar(y > 1)", False), ("x > 1 unless y", True),
        ('label_replace(x > 1, "a", "b", "c", "d")', True),
        ("1 > bool 0", False), ("1", False),
    ],
)  # fmt: skip
def test_has_comparison(text: str, expected: bool) -> None:
    assert has_comparison(parse(text)) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x > 100", [
            ("comparison-flipped", "x < 100"), ("comparison-strictness", "x >= 100"), ("threshold", "x > 101"),
            ("threshold", "x > 99"), ("threshold", "x > 110"), ("threshold", "x > 90"),
        ]),
        ("x == (0)", [("comparison-flipped", "x != (0)"), ("threshold", "x == 1"), ("threshold", "x == -1")]),
        ("-0.1 < x", [
            ("comparison-flipped", "-0.1 > x"), ("comparison-strictness", "-0.1 <= x"), ("threshold", "-0.101 < x"),
            ("threshold", "-0.099 < x"), ("threshold", "-0.11 < x"), ("threshold", "-0.09 < x"),
        ]),
        ("rate(x[5m])", [
            ("function", "increase(x[5m])"), ("function", "irate(x[5m])"), ("window", "rate(x[2m30s])"),
            ("window", "rate(x[10m])"),
        ]),
        ("sum by (a, b) (x)", [
            ("aggregation", "max by (a, b) (x)"), ("grouping", "sum by (b) (x)"), ("grouping", "sum by (a) (x)"),
        ]),
        ('x{a="b"}', [("matcher-dropped", "x"), ("matcher-negated", 'x{a!="b"}')]),
        ('{a="b"}', []),
        ('{a="b",c=~"d"}', [
            ("matcher-dropped", '{a="b"}'), ("matcher-negated", '{a="b",c!~"d"}'),
        ]),
        ("x and y > 1", [
            ("guard-removed", "x"), ("guard-removed", "y > 1"), ("guard-inverted", "x unless y > 1"),
            ("comparison-flipped", "x and y < 1"), ("comparison-strictness", "x and y >= 1"),
            ("threshold", "x and y > 1.01"), ("threshold", "x and y > 0.99"), ("threshold", "x and y > 1.1"),
            ("threshold", "x and y > 0.9"),
        ]),
        ("a unless b", [("guard-removed", "a"), ("guard-inverted", "a and b")]),
        ("a or b", [("branch-removed", "a"), ("branch-removed", "b")]),
        ("max_over_time(x[1ms])", [
            ("function", "min_over_time(x[1ms])"), ("function", "avg_over_time(x[1ms])"),
            ("window", "max_over_time(x[2ms])"),
        ]),
    ],
)  # fmt: skip
def test_mutants(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(mutant.kind, to_text(mutant.expr)) for mutant in mutants(parse(text))] == expected


@pytest.mark.parametrize("text", CORPUS)
def test_mutants_of_the_corpus_differ_and_parse(text: str) -> None:
    tree = parse(text)
    texts = [to_text(mutant.expr) for mutant in mutants(tree)]
    assert to_text(tree) not in texts
    assert len(set(texts)) == len(texts)
    assert {value_type(parse(mutant)) for mutant in texts} <= {value_type(tree)}


@settings(deadline=None, max_examples=100)
@given(vectors)
def test_mutants_of_any_tree_parse(tree: Expr) -> None:
    texts = [to_text(mutant.expr) for mutant in mutants(tree)]
    assert [value_type(parse(text)) for text in texts] == ["vector"] * len(texts)


@needs_promtool
def test_promtool_reads_mutants(tmp_path: Path) -> None:
    texts = [to_text(mutant.expr) for text in CORPUS for mutant in mutants(parse(text))]
    assert len(texts) > 100
    assert refused(texts, tmp_path) == []
