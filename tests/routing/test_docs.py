"""What docs/routing.md prints is what this project does. ALERTKIT_UPDATE_CASES=1 writes the matrix anew."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from alertkit.cli import main
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


def test_the_first_example_compiles() -> None:
    example = re.search(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert example
    routing = routing_of(example[1], [alert("ServiceDown", "critical")])
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
