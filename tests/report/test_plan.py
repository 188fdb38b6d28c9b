"""A plan as people read it: what goes and changes in full, what is new in numbers, an HA pair once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from alertkit.deploy import Build, Difference, LoadedGroup, LoadedRule, Plan, compare
from alertkit.deploy.plan import ServerPlan, Told
from alertkit.report.plan import plan_lines
from alertkit.source.problem import PLAIN

RULE = LoadedRule("alerting", "Down", "up == 0", 300_000, 0, {"severity": "critical", "system": "shop"}, {})


def group(*rules: LoadedRule, name: str = "shop") -> LoadedGroup:
    return LoadedGroup(f"{name}.yml", name, 60_000, rules)


def plan(
    wanted: list[LoadedGroup], *loaded: list[LoadedGroup], told: list[Told] | None = None,
    routing: list[Difference] | None = None,
) -> Plan:  # fmt: skip
    servers = [
        ServerPlan(f"http://p{i}", compare(wanted, groups, None, ["shop.yml", "bank.yml"]), ())
        for i, groups in enumerate(loaded)
    ]
    return Plan("prod", Build(Path(), {}, None, {}), tuple(wanted), tuple(servers), tuple(told or ()),
                tuple(routing or ()), (), ())  # fmt: skip


def text(made: Plan, verbose: bool = False) -> list[str]:
    return list(plan_lines(made, PLAIN, verbose))


def test_many_additions_are_counted_by_system() -> None:
    new = [replace(RULE, name=f"A{i}") for i in range(4)]
    new += [replace(rule, labels={**rule.labels, "severity": "warning"}) for rule in new]
    record = LoadedRule("recording", "a:b:c", "up", 0, 0, {}, {})
    few = [replace(RULE, name="Only")]
    wanted = [group(*few, name="bank"), group(record, *new)]
    told = [Told(r.name, r.labels["severity"], "shop", (), ("web",)) for r in new]
    told += [Told("Only", "critical", "bank", (), ("web", "pager")), Told("Old", "critical", "shop", ("a",), ("b",))]
    routing = [Difference("receiver gone", "", "", "removed"), Difference("receiver of route default", "a", "b")]
    routing += [Difference(f"receiver r{i}", "", "", "added") for i in range(6)]
    routing += [Difference("inhibition", "", f'x="{i}", system="shop" mutes y', "added") for i in range(6)]
    routing += [Difference("route", "", f"a={i} -> web", "added") for i in range(6)]
    made = plan(wanted, [], [], told=told, routing=routing)
    assert text(made) == [
        "http://p0 and http://p1",
        "  + alert Only (critical) in bank",
        "  + 4 alerts (4 critical, 4 warning) and 1 record in shop",
        "alertmanager",
        "  - receiver gone",
        "  ~ receiver of route default: a -> b",
        "  + 6 receivers: r0, r1, r2, r3, r4, r5",
        "  + 6 inhibitions: shop 6",
        "  + 6 routes: web 6",
        "told differently",
        "  shop/Old (critical): a -> b",
        "told for the first time",
        "  shop: web 8",
        "  bank/Only (critical): web, pager",
        "plan for prod: 10 rules added, 20 in alertmanager.yml, 1 told differently, 9 told for the first time; "
        "-v lists every addition",
    ]
    whole = text(made, verbose=True)
    assert sum(line.startswith("  + alert ") for line in whole) == 9
    assert sum(line.startswith("  + receiver r") for line in whole) == 6
    assert "  shop/A0 (warning): web" in whole and "-v" not in whole[-1]


def test_all_that_goes_or_changes_is_named() -> None:
    old = [replace(RULE, name=f"A{i}") for i in range(20)]
    kept = [replace(rule, for_=60_000) for rule in old[:10]]
    lines = text(plan([group(*kept)], [group(*old)]))
    assert sum(line.startswith("  ~ alert A") for line in lines) == 10
    assert sum(line.startswith("  - alert A") for line in lines) == 10
    assert lines.count("      for: 5m -> 1m") == 10
    assert lines[-1] == "plan for prod: 10 rules removed, 10 rules changed"


def test_a_pair_is_shown_once_unless_it_differs() -> None:
    """Each server evaluates at its own moments, which is no difference."""
    pair = [[group(replace(RULE, last_evaluation=moment))] for moment in (1.0, 2.0)]
    wanted = [group(replace(RULE, for_=60_000))]
    assert text(plan(wanted, *pair)) == [
        "http://p0 and http://p1",
        "  ~ alert Down (critical) in shop",
        "      for: 5m -> 1m",
        "plan for prod: 1 rule changed",
    ]
    apart = text(plan(wanted, pair[0], [group(replace(RULE, for_=120_000))]))
    assert [line for line in apart if not line.startswith("  ~")] == [
        "http://p0",
        "      for: 5m -> 1m",
        "http://p1",
        "      for: 2m -> 1m",
        "plan for prod: 1 rule changed on the first server",
    ]
