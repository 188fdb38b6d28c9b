"""docs/routing.md and README.md print what this project does. ALERTKIT_UPDATE_CASES=1 writes the matrix anew."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from alertkit.cli import main
from alertkit.cli.routing_input import read_input
from alertkit.compile.routing import Receiver
from alertkit.routing.answer import Oracle
from alertkit.routing.situations import situations
from tests.routing.helpers import alert, routing_of

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "routing.md"
MATRIX = re.compile(r"(?<=<!-- matrix -->\n).*?(?=<!-- end of matrix -->)", re.DOTALL)


def test_the_matrix_is_that_of_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    said = (
        CliRunner().invoke(main, ["route", "--all", "--short", "--format", "markdown"], catch_exceptions=False).stdout
    )
    text = PAGE.read_text("utf-8")
    if os.environ.get("ALERTKIT_UPDATE_CASES") == "1":
        PAGE.write_text(text := MATRIX.sub(lambda _: said, text), "utf-8")
    found = MATRIX.search(text)
    assert found and found[0] == said and "peak_trade" in said


def _words(receivers: Mapping[str, Receiver], names: Sequence[str]) -> str:
    """Where receivers send: Slack with its channels, other integrations by name."""
    words = []
    for integration in (one for name in names for one in receivers[name].integrations):
        channel = integration.settings.get("channel")
        words.append(f"Slack `{channel}`" if channel else {"pagerduty_configs": "PagerDuty"}[integration.kind])
    return " and ".join(words)


def test_the_readme_says_who_is_told_of_what(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its table, made anew from the answers of the router; every alert of a cell must agree."""
    monkeypatch.chdir(ROOT)
    given = read_input()
    oracle = Oracle(given.routing)
    receivers = {receiver.name: receiver for receiver in given.routing.receivers}
    systems: dict[str, list[str]] = {}
    cells: dict[tuple[str, bool], set[str]] = {}
    for situation in situations(given.alerts):
        if situation.alert.heartbeat_receiver:
            continue
        team, system = situation.labels["team"], situation.labels["system"]
        systems[team] = list(dict.fromkeys([*systems.get(team, []), system]))
        told = [one.receiver for one in oracle.answer(situation.labels, None, (), situation.free).told]
        cells.setdefault((team, situation.severity == "critical"), set()).add(_words(receivers, told))
    assert {len(words) for words in cells.values()} == {1}
    rows = {
        f"| {team} | {', '.join(sorted(names))} | {cells[team, False].pop()} | {cells[team, True].pop()} |"
        for team, names in systems.items()
    }
    text = (ROOT / "README.md").read_text("utf-8")
    table = text[text.index("| team | systems | info, warning | critical |") :].split("\n\n")[0].split("\n")
    assert set(table[2:]) == rows and len(table) == 2 + len(rows)


def test_the_first_example_compiles() -> None:
    example = re.search(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert example
    routing = routing_of(example[1], [alert("ServiceDown", "critical", identity=("job",))])
    assert [receiver.name for receiver in routing.receivers] == ["trading-slack", "trading-oncall"]


def test_critical_alerts_of_peak_trade_page_and_the_rest_goes_to_slack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    rows = CliRunner().invoke(main, ["route", "--all", "--format", "markdown"], catch_exceptions=False).stdout
    head, _, *body = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows.splitlines()]
    told = {
        (row[1], row[2]): [name for name, mark in zip(head[3:], row[3:], strict=True) if mark]
        for row in body
        if row[0] == "peak_trade"
    }
    assert {tuple(names) for (_, severity), names in told.items() if severity == "critical"} == {("trading-oncall",)}
    assert {tuple(names) for (_, severity), names in told.items() if severity != "critical"} == {("trading-slack",)}
