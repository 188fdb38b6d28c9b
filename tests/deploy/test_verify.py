"""What differs between the rules of a build and those of a server, in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alertkit.deploy import LoadedGroup, LoadedRule, differences

RULE = LoadedRule("alerting", "Down", "up == 0", 300_000, 0, {"severity": "page", "team": "a"}, {"summary": "s"})
WARNING = replace(RULE, labels={"severity": "warning"})
RECORD = LoadedRule("recording", "r", "up", 0, 0, {}, {})
GROUP = LoadedGroup("a.yml", "a", 60_000, (RECORD, WARNING, RULE))


def served(group: LoadedGroup, folder: str = "/rules") -> LoadedGroup:
    return replace(group, file=f"{folder}/{group.file}")


def rules(*rules: LoadedRule, interval: int = 60_000) -> list[LoadedGroup]:
    return [served(replace(GROUP, rules=rules, interval=interval))]


@pytest.mark.parametrize(
    ("loaded", "expected"),
    [
        (rules(RECORD, WARNING, RULE), []),
        (rules(RECORD, WARNING, replace(RULE, query="up==0", health="err")), []),
        ([], ["group a of a.yml is not loaded"]),
        (rules(WARNING, RULE), ["record r is not loaded in group a"]),
        (rules(RECORD, WARNING, RULE, replace(RECORD, name="s")),
         ["record s is loaded, but not in the build in group a"]),
        (rules(RECORD, RULE, WARNING), ["the rules stand in another order in group a"]),
        (rules(RECORD, WARNING, RULE, interval=30_000), ["the interval is 30s, not 1m in group a"]),
        (rules(RECORD, WARNING, replace(RULE, for_=60_000, keep_firing_for=1)),
         ["alert Down (page): for is 1m, not 5m in group a",
          "alert Down (page): keep_firing_for is 1ms, not 0s in group a"]),
        (rules(RECORD, WARNING, replace(RULE, labels={"severity": "page", "x": "1"})),
         ["alert Down (page): label team is missing in group a",
          "alert Down (page): label x is `1`, not none in group a"]),
        (rules(RECORD, WARNING, replace(RULE, annotations={"summary": "t"})),
         ["alert Down (page): annotation summary is `t`, not `s` in group a"]),
        ([*rules(RECORD, WARNING, RULE), LoadedGroup("/rules/b.yml", "b", 0, ())],
         ["group b of b.yml is still loaded"]),
        ([*rules(RECORD, WARNING, RULE), LoadedGroup("/rules/hand.yml", "h", 0, ())], []),
        ([*rules(RECORD, WARNING, RULE), replace(GROUP, file="/other/a.yml", rules=())], []),
    ],
)  # fmt: skip
def test_differences(loaded: list[LoadedGroup], expected: list[str]) -> None:
    assert differences([GROUP], loaded, rules_dir=Path("/rules"), removed=["b.yml"]) == expected


def test_another_mount_point_is_fine() -> None:
    assert differences([GROUP], [served(GROUP, "/etc/prometheus/rules")], rules_dir=Path("/mnt/rules")) == []


def test_expressions_are_compared_when_asked() -> None:
    loaded = rules(RECORD, WARNING, replace(RULE, query="up == 1"))
    assert differences([GROUP], loaded) == []
    assert differences([GROUP], loaded, same_query=str.__eq__) == [
        "alert Down (page): the expression is `up == 1`, not `up == 0` in group a"
    ]
