"""`alertkit coverage`: which points of an alert its cases show, and what it says of those that none shows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from alertkit.cli import main
from alertkit.compile.ruleset import Record, Rule
from alertkit.prove.coverage.branches import branches_of
from alertkit.source import Span
from tests.projects import small
from tests.prove.jam import JAM, PLAIN
from tests.servers import versions

HOT = "Hot: {kind: threshold, metric: temperature, by: [room], above: {warning: 30, critical: 40}, clear: 25}"
WATCHDOG = "Watchdog: {kind: heartbeat, receiver: pager}"
SCENARIO = """\
system: demo
scenarios:
  a jam:
    series:
      paper_jam{printer="p1"}: 0 for 10m, 1 for 10m, 0 for 10m
    expect:
      at 9m: nothing fires
      at 16m: Jam{printer="p1"} fires
"""

Command = Callable[..., Result]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    small(tmp_path, HOT, JAM, WATCHDOG)
    (tmp_path / "promtool_tests").mkdir()
    return lambda *arguments: CliRunner().invoke(main, ["coverage", *arguments], catch_exceptions=False)


def write(name: str, text: str) -> None:
    Path("promtool_tests", name).write_text(text, encoding="utf-8")


def points(done: Result, alert: str) -> dict[tuple[str, str], list[str]]:
    """Who has seen each point of an alert."""
    data = json.loads(done.stdout)
    (found,) = [one for one in data["alerts"] if one["alert"] == alert]
    return {(point["kind"], point["name"]): point["seen_by"] for point in found["points"]}


@pytest.mark.parametrize("promtool", versions("promtool"))
def test_what_no_case_shows_is_said_alike_by_every_promtool(
    command: Command, monkeypatch: pytest.MonkeyPatch, promtool: Path
) -> None:
    monkeypatch.setenv("ALERTKIT_TOOLS", str(promtool.parent))
    write("demo.yaml", SCENARIO)
    done = command()
    assert done.exit_code == 0
    assert (
        re.sub(r", with promtool .*", "", done.output)
        == """\
alert       generated  scenario  written  fires  silent  resolves  levels  labels  texts  branches  seen
demo
  Hot              15         -        -    yes     yes       yes     2/2     3/3    2/2       6/6  100%
  Jam               -         2        -    yes     yes        no       -     0/2    0/1       4/6   50%
  Watchdog          1         -        -    yes       -         -       -     2/2    1/1         -  100%

demo Jam  rules_src/demo.yaml:5:3
  no case sees it resolve after it fired
  no case compares the label `severity`
  no case compares the label `system`
  no case compares the annotation `summary`
  never true in a case: door_open > 0
  never true in a case: maintenance

81.2% seen: 26 of 32 points of 3 alerts
"""
    )


def test_a_plain_file_adds_what_it_shows(command: Command) -> None:
    write("demo.yaml", SCENARIO)
    write("demo.test.yml", PLAIN)
    done = command("--format", "json")
    assert done.exit_code == 0
    assert points(done, "Jam") == {
        ("fires", ""): ["scenario", "hand-written"],
        ("silent", ""): ["scenario", "hand-written"],
        ("resolves", ""): ["hand-written"],
        ("label", "severity"): ["hand-written"],
        ("label", "system"): ["hand-written"],
        ("annotation", "summary"): ["hand-written"],
        ("branch true", "paper_jam > 0"): ["scenario"],
        ("branch false", "paper_jam > 0"): ["scenario"],
        ("branch true", "door_open > 0"): ["hand-written"],
        ("branch false", "door_open > 0"): ["scenario"],
        ("branch true", "maintenance"): ["hand-written"],
        ("branch false", "maintenance"): ["scenario"],
    }
    data = json.loads(done.stdout)
    assert (data["seen"], data["points"], data["percent"], data["failed"]) == (32, 32, 100.0, [])
    (jam,) = [one for one in data["alerts"] if one["alert"] == "Jam"]
    assert jam["cases"] == {"generated": 0, "scenario": 2, "hand-written": 1}
    assert (jam["file"], jam["line"], jam["percent"]) == ("rules_src/demo.yaml", 5, 100.0)


def test_partial_labels_and_annotations_count_where_they_are_named(command: Command) -> None:
    fires = 'Jam{severity="warning"} fires with summary "Jammed"'
    write("demo.yaml", SCENARIO.replace('Jam{printer="p1"} fires', fires))
    seen = points(command("--format", "json"), "Jam")
    assert seen["label", "severity"] == seen["annotation", "summary"] == ["scenario"]
    assert seen["label", "system"] == []


def test_a_case_that_fails_shows_nothing(command: Command) -> None:
    write("demo.test.yml", PLAIN.replace("{summary: Jammed}", "{summary: Open}"))
    done = command("--format", "json", "Jam")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["failed"] == ["demo::the door"]
    assert set(map(tuple, points(done, "Jam").values())) == {()}
    assert "1 case fails and so shows nothing; `alertkit test` says why" in done.stderr


def test_the_share_that_is_asked_for(command: Command) -> None:
    write("demo.yaml", SCENARIO)
    assert command("--fail-under", "81").exit_code == 0
    assert command("--fail-under", "82").exit_code == 1
    assert command("--fail-under", "100", "Hot").exit_code == 0


def alerts(done: Result) -> list[Any]:
    return [one["alert"] for one in json.loads(done.stdout)["alerts"]]


def test_which_alerts(command: Command) -> None:
    assert alerts(command("--format", "json")) == ["Hot", "Jam", "Watchdog"]
    assert alerts(command("--format", "json", "demo")) == ["Hot", "Jam", "Watchdog"]
    assert alerts(command("--format", "json", "demo/Hot", "Jam")) == ["Hot", "Jam"]
    assert alerts(command("--format", "json", "-k", "demo and not (hot or jam)")) == ["Watchdog"]
    wrong = command("demo/Hat")
    assert wrong.exit_code == 2
    assert "there is no system or alert `demo/Hat`; did you mean `demo/Hot`?" in wrong.stderr
    none = command("-k", "nothing")
    assert none.exit_code == 2 and "no alert fits" in none.stderr


def test_branches_are_the_operands_that_decide() -> None:
    def texts(expr: str, *records: tuple[str, str]) -> list[str]:
        span = Span("", 1, 1)
        rule = Rule("A", expr, 0, 0, (), (), span)
        return [branch.text for branch in branches_of([rule], [Record(*record, span) for record in records])]

    assert texts("x > 1") == []
    assert texts("a > 1 or (b > 1 and c) or a > 1") == ["a > 1", "b > 1", "c"]
    assert texts("sum(x or vector(0)) > 1 unless y") == ["sum(x or vector(0)) > 1", "y", "x"]
    assert texts("r > 1", ("r", "a or b"), ("s", "c or d")) == ["a", "b"]
    assert branches_of([Rule("A", "x == bool 1 or y", 0, 0, (), (), Span("", 1, 1))], [])[0].question == (
        "group((x == bool 1) != 0)"
    )
