"""What differs in meaning between two sets of rules, and between two routings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alertkit.deploy import Difference, LoadedGroup, LoadedRule, compare
from alertkit.deploy.compare import expressions
from alertkit.deploy.loaded_routing import differences, read_config

RULE = LoadedRule("alerting", "Down", "up == 0", 300_000, 0, {"severity": "page"}, {"summary": "s"})


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("up==0", "(up) == 0", []),
        ("sum by(job)(rate(x[5m]))>0.05", "sum by (job) (rate(x[5m])) > 0.1", [("threshold", "0.05", "0.1")]),
        ("rate(x[5m]) > 1", "rate(x[10m]) >= 1", [("comparison", ">", ">="), ("window", "5m", "10m")]),
        ("histogram_quantile(0.9, x) > 1", "histogram_quantile(0.95, x) > 1",
         [("argument of histogram_quantile", "0.9", "0.95")]),
        ("up == 0", "absent(up)", [("expression", "up == 0", "absent(up)")]),
        ("x * 2 > 1", "x * 3 > 1", [("number", "2", "3")]),
        ("x > 1 and increase(y[5m]) >= 20", "x > 2 and increase(y[5m]) >= 30",
         [("threshold of x", "1", "2"), ("threshold of increase(y[5m])", "20", "30")]),
        ('x{a="1"} > 1', 'x{a="2"} > 1', [("expression", 'x{a="1"} > 1', 'x{a="2"} > 1')]),
        ("not promql (", "not promql  (", []),
    ],
)  # fmt: skip
def test_expressions(old: str, new: str, expected: list[tuple[str, str, str]]) -> None:
    assert [(d.what, d.old, d.new) for d in expressions(old, new)] == expected


def group(*rules: LoadedRule, name: str = "a", file: str = "a.yml") -> LoadedGroup:
    return LoadedGroup(file, name, 60_000, rules)


def test_rules() -> None:
    warning = replace(RULE, labels={"severity": "warning"})
    loaded = [
        group(RULE, warning, file="/rules/a.yml"), group(replace(RULE), name="b", file="/rules/b.yml"),
        group(replace(RULE), name="hand", file="/rules/hand.yml"),
    ]  # fmt: skip
    new = [
        group(warning, replace(RULE, for_=60_000, labels={"severity": "page", "team": "x"}), replace(RULE, name="New"))
    ]
    found = compare(new, loaded, Path("/rules"), ["a.yml", "b.yml"])
    assert [(c.word, c.group, c.rule.name) for c in found.changes] == [
        ("changed", "a", "Down"), ("added", "a", "New"), ("removed", "b", "Down")
    ]  # fmt: skip
    [changed] = [c for c in found.changes if c.word == "changed"]
    assert changed.differences == (Difference("for", "5m", "1m"), Difference("label team", "", "x"))
    assert changed.resets
    assert [g.name for g in found.foreign] == ["hand"] and found.same == 1


def test_a_rule_that_moves_to_another_file_starts_over() -> None:
    found = compare([group(RULE, file="b.yml")], [group(RULE, file="/r/a.yml")], Path("/r"), ["a.yml"])
    [change] = found.changes
    assert change.differences == (Difference("group", "a.yml/a", "b.yml/a"),) and change.resets


def test_routing_and_secrets() -> None:
    old = read_config(
        "route: {receiver: a}\nreceivers: [{name: a, slack_configs: [{channel: x, api_url: https://s/1}]}]"
    )
    new = read_config(
        "route: {receiver: a}\nreceivers: [{name: a, slack_configs: [{channel: y, api_url: https://s/2}]}]"
    )
    assert old is not None and new is not None
    found = differences(old.data, new.data, exact=True)
    assert found == [
        Difference("receiver a slack channel", "x", "y"),
        Difference("receiver a slack api_url", "(not shown)", "(not shown)"),
    ]
