"""The table of `alertkit status`: what all servers share is one row, what differs stands apart."""

from __future__ import annotations

from alertkit.deploy.status import Row, group_text
from alertkit.report.status import status_lines
from alertkit.source.problem import PLAIN

ONE, TWO = "http://one:9090", "http://two:9090"


def group(where: str, took: float, state: str = "ok", name: str = "shop") -> Row:
    details = {"group": name, "rules": 3, "took_ms": took, "interval_ms": 15_000}
    return Row("group", where, state, group_text(name, 3, [took], 15_000), details)


def alert(where: str, name: str, severity: str, state: str = "firing", count: int = 1) -> Row:
    details = {"alert": name, "severity": severity, "group": "shop", "count": count}
    return Row("alert", where, state, f"{name} ({severity}) in shop", details)


def text(*rows: Row, verbose: bool = False, servers: tuple[str, ...] = (ONE, TWO)) -> list[str]:
    return [" ".join(line.split()) for line in status_lines(rows, servers, "prod", PLAIN, verbose)]


def test_what_all_servers_share_is_said_once() -> None:
    rows = [Row("rules", where, "ok", "3 rules as applied") for where in (ONE, TWO)]
    rows += [group(ONE, 5.04), group(TWO, 20), Row("routing", "http://am", "ok", "configuration as applied")]
    assert text(*rows) == [
        "ok rules both servers 3 rules as applied",
        "ok group both servers shop: 3 rules in 5.0 to 20.0 ms of 15s",
        "ok routing http://am configuration as applied",
        "prod: 0 bad, 0 to look at",
    ]


def test_what_differs_stands_apart() -> None:
    rows = [
        group(ONE, 5),
        group(TWO, 9000, "warn"),
        alert(ONE, "Hot", "warning"),
        alert(TWO, "Hot", "warning", "pending"),
    ]
    assert text(*rows) == [
        f"ok group {ONE} shop: 3 rules in 5.0 ms of 15s",
        f"warn group {TWO} shop: 3 rules in 9000.0 ms of 15s",
        f"firing alert {ONE} Hot (warning) in shop",
        f"pending alert {TWO} Hot (warning) in shop",
        "prod: 0 bad, 1 to look at, 1 alert firing, 1 alert pending",
    ]


def test_the_gravest_alerts_come_first_and_none_is_ok() -> None:
    rows = [alert(ONE, "A", "info"), alert(ONE, "B", "critical", "pending"), alert(ONE, "C", "critical"),
            Row("secret", "/key", "ok", "readable"), Row("secret", "/gone", "bad", "the file is missing")]  # fmt: skip
    assert text(*rows, servers=(ONE,)) == [
        "bad secret /gone the file is missing",
        f"firing alert {ONE} C (critical) in shop",
        f"firing alert {ONE} A (info) in shop",
        f"pending alert {ONE} B (critical) in shop",
        "prod: 1 bad, 0 to look at, 2 alerts firing, 1 alert pending",
    ]


def test_many_groups_are_counted() -> None:
    rows = [group(ONE, 5, name=f"g{i:02}") for i in range(30)] + [group(ONE, 9000, "warn", "slow")]
    assert text(*rows, servers=(ONE,)) == [
        f"warn group {ONE} slow: 3 rules in 9000.0 ms of 15s",
        "30 groups are evaluated in time; -v lists them",
        "prod: 0 bad, 1 to look at",
    ]
    assert len(text(*rows, servers=(ONE,), verbose=True)) == 32
