"""`alertkit test --mutate` on a project: what is noticed, what survives, what is equivalent, and how it is said."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from alertkit.cli import main
from alertkit.emit.promtool import gathered
from alertkit.prove.mutation.mutate import Mutant, hunt, mutants_of
from alertkit.prove.running.batch import Job
from alertkit.report.mutation import CATCHES
from alertkit.source import Problems
from alertkit.toolchain import Tool, find
from tests.projects import small, systems_of
from tests.prove.jam import JAM, PLAIN

# All kinds of mistakes can be made in these.
ALERTS = (
    """\
Hot:
  kind: threshold
  metric: temperature
  where: {site: north}
  by: [room]
  above: {warning: 30, critical: 40}
  clear: 25
  keep_firing_for: 10m
  summary: "{{ $labels.room }} is hot"
""",
    "Errors: {kind: ratio, bad: errors_total, total: requests_total, window: 10m, above: 5%, min_events: 10}",
    "Swing: {kind: threshold, metric: pressure, over: max, window: 10m, above: 9, by: [room]}",
)


def promtool() -> Tool:
    tool = find("promtool")
    if tool is None:
        pytest.skip("promtool is not installed")
    return tool


def hunted(mutants: list[Mutant]) -> list[Mutant]:
    problems = Problems()
    hunt(mutants, promtool(), problems)
    assert not problems
    assert {mutant.state for mutant in mutants} <= {"noticed", "survived", "equivalent"}
    return mutants


def by_kind(mutants: list[Mutant], state: str) -> set[str]:
    return {mutant.change.kind for mutant in mutants if mutant.state == state}


def test_each_kind_of_mistake_is_noticed_by_whole_proofs_and_survives_poor_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small(tmp_path, *ALERTS))
    systems = systems_of(tmp_path)
    whole = hunted(mutants_of(systems, lambda system, alert: True))
    assert by_kind(whole, "noticed") == set(CATCHES)
    poor = mutants_of(systems, lambda system, alert: True)
    for mutant in poor:
        mutant.left = [_only_without_data(job) for job in mutant.jobs if job.proof.checks[-1].case == "no-data"]
    assert by_kind(hunted(poor), "survived") == set(CATCHES)


def _only_without_data(job: Job) -> Job:
    """The job with a proof that looks only once, when all data has ended: most rules are silent then."""
    group = job.proof.group
    last = max(test.time for test in group.alert_tests)
    alerts = gathered(test for test in group.alert_tests if test.time == last)
    return replace(job, proof=job.proof._replace(group=group._replace(alerts=alerts, exprs=())))


SCENARIO = """\
system: demo
scenarios:
  a jam:
    series:
      paper_jam{printer="p1"}: 0 for 10m, 1 for 10m, 0 for 10m
      door_open{printer="p1"}: 0 for 30m
    expect:
      at 9m: nothing fires
      at 16m: Jam{printer="p1"} fires
"""
Command = Callable[..., Result]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    promtool()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    small(tmp_path, JAM, "Hot: {kind: threshold, metric: temperature, by: [room], above: 30}")
    (tmp_path / "promtool_tests").mkdir()
    (tmp_path / "promtool_tests" / "demo.yaml").write_text(SCENARIO, encoding="utf-8")
    (tmp_path / "promtool_tests" / "demo.test.yml").write_text(PLAIN, encoding="utf-8")
    return lambda *more: CliRunner().invoke(main, ["test", "--mutate", *more], catch_exceptions=False)


def test_survivors_are_told_with_the_change_and_the_case_that_is_missing(command: Command) -> None:
    done = command("-k", "Jam")
    assert done.exit_code == 0
    assert (
        re.sub(r", in .* s$", "", done.output, flags=re.MULTILINE)
        == """\
demo Jam   88.9%  16 of 18 noticed
  survived for-dropped: `for: 5m` is gone   rules_src/demo.yaml:4:3
         expr: "paper_jam > 0 or door_open > 0 unless on () maintenance"
      -  for: 5m
         labels:
      A case that is bad for less than `for`: expect silence.
  survived for-halved: `for: 5m` became 2m30s   rules_src/demo.yaml:4:3
         expr: "paper_jam > 0 or door_open > 0 unless on () maintenance"
      -  for: 5m
      +  for: 2m30s
         labels:
      A case that expects silence right before `for` is over.
  annotation               100.0%  1 of 1 noticed
  branch-removed           100.0%  2 of 2 noticed
  comparison-flipped       100.0%  2 of 2 noticed
  comparison-strictness    100.0%  2 of 2 noticed
  for-doubled              100.0%  1 of 1 noticed
  for-dropped                0.0%  0 of 1 noticed
  for-halved                 0.0%  0 of 1 noticed
  guard-inverted           100.0%  1 of 1 noticed
  guard-removed            100.0%  1 of 1 noticed
  label                    100.0%  1 of 1 noticed
  severity                 100.0%  1 of 1 noticed
  threshold                100.0%  4 of 4 noticed
88.9% of mistakes noticed: 18 mutants, 0 equivalent, 16 noticed (8 by scenarios, 8 by plain files alone), 2 survived
"""
    )


def test_generated_cases_can_be_asked_alone(command: Command) -> None:
    data = json.loads(command("--generated", "--format", "json").stdout)
    assert {row["alert"] for row in data["alerts"]} == {"Hot"}
    assert {row["source"] for row in data["results"]} == {"generated"}
    whole = json.loads(command("--format", "json").stdout)
    assert {row["alert"] for row in whole["alerts"]} == {"Hot", "Jam"}
    assert [row for row in whole["results"] if row["alert"] == "Hot"] == data["results"]


def test_what_noticed_each_mutant_is_in_the_json(command: Command) -> None:
    data = json.loads(command("--format", "json").stdout)
    noticed = {(row["change"], row["noticed_by"], row["source"]) for row in data["results"] if row["alert"] == "Jam"}
    assert ("the branch `paper_jam > 0 or` is gone", "a jam", "scenario") in noticed
    assert ("the annotation `summary` got another text", "the door", "hand-written") in noticed
    assert ("the guard `unless maintenance` is gone", "the door", "hand-written") in noticed
    totals = {key: data[key] for key in ("mutants", "equivalent", "noticed", "survived")}
    states = [row["state"] for row in data["results"]]
    assert totals == {
        "mutants": len(states), "equivalent": 0, "noticed": states.count("noticed"), "survived": 2,
    }  # fmt: skip
    (dropped,) = [row for row in data["results"] if row["kind"] == "for-dropped" and row["alert"] == "Jam"]
    assert dropped == {
        "system": "demo", "alert": "Jam", "rule": "Jam warning", "kind": "for-dropped", "change": "`for: 5m` is gone",
        "state": "survived", "why": "", "noticed_by": "", "source": "", "file": "rules_src/demo.yaml", "line": 4,
        "diff": [
            '   expr: "paper_jam > 0 or door_open > 0 unless on () maintenance"', "-  for: 5m", "   labels:",
        ],
        "catch": "A case that is bad for less than `for`: expect silence.",
    }  # fmt: skip


def test_equivalent_mutants_are_set_apart(command: Command, tmp_path: Path) -> None:
    small(tmp_path, "Errors: {kind: ratio, bad: errors_total, total: requests_total, window: 10m, above: 5%}")
    for path in (tmp_path / "promtool_tests").iterdir():
        path.unlink()
    done = command("-v")
    assert "  equivalent aggregation: `sum` became `max`; both mean the same on every series" in done.output
    data = json.loads(command("--format", "json").stdout)
    assert data["equivalent"] > 0
    assert data["mutants"] == data["equivalent"] + data["noticed"] + data["survived"]
    assert data["percent"] == round(100 * data["noticed"] / (data["mutants"] - data["equivalent"]), 2)


def test_exit_codes(command: Command, tmp_path: Path) -> None:
    assert command("-k", "Jam", "--fail-under", "88").exit_code == 0
    assert command("-k", "Jam", "--fail-under", "89").exit_code == 1
    assert command("--junit", "x.xml").exit_code == 2
    plain = CliRunner().invoke(main, ["test", "--generated"])
    assert plain.exit_code == 2 and "go with --mutate" in plain.stderr
    # A test that fails already says nothing about a mutant.
    path = tmp_path / "promtool_tests" / "demo.test.yml"
    path.write_text(PLAIN.replace("summary: Jammed", "summary: Open"), encoding="utf-8")
    done = command("-k", "Jam", "--format", "json")
    assert done.exit_code == 1
    assert "FAIL the door" in done.stderr
    assert {row["source"] for row in json.loads(done.stdout)["results"]} == {"scenario", ""}
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setenv("PATH", "")
        patch.setenv("ALERTKIT_TOOLS", "")
        assert command().exit_code == 3


@pytest.mark.parametrize("ending", [None, signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_behind(command: Command, tmp_path: Path, ending: signal.Signals | None) -> None:
    """The promtool in the way tells its process and its folder, then is the real one."""
    log, tools = tmp_path / "log", tmp_path / "tools"
    tools.mkdir()
    wrapper = tools / "promtool"
    slow = "sleep 5" if ending else ":"
    wrapper.write_text(
        f'#!/bin/sh\n[ "$1" = test ] && {{ echo "$$ $TMPDIR" >> {log}; {slow}; }}\n'
        f'exec {promtool().path} "$@"\n', encoding="utf-8",
    )  # fmt: skip
    wrapper.chmod(0o755)
    env = {**os.environ, "ALERTKIT_TOOLS": str(tools)}
    process = subprocess.Popen(
        [sys.executable, "-m", "alertkit", "test", "--mutate", "-k", "Jam"], cwd=tmp_path, env=env,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        # Where the tests run in the background, Ctrl-C is ignored, and so it would be below them.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    if ending:
        deadline = time.monotonic() + 60
        while not log.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(ending)
    process.communicate(timeout=120)
    assert (process.returncode == 0) == (ending is None)
    started = [line.split() for line in log.read_text(encoding="utf-8").splitlines()]
    assert started
    time.sleep(0.5)
    for pid, folder in started:
        assert not Path(folder).exists()
        assert not Path(f"/proc/{pid}").exists()
