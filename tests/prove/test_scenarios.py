"""Scenarios from their text to their results: every mistake at its place, and the same verdict of every promtool."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from alertkit.build.scenarios import Scenarios
from alertkit.source.problem import forget_files
from tests.prove.scenario_support import load, prove, said, table, told, versions

HERE = Path(__file__).parent
BAD = table(HERE / "bad_scenarios.yaml")
TOLD = table(HERE / "told_scenarios.yaml")
CSV = {
    "promtool_tests/data/order.csv": "time,value\n0,1\n60,2\n30,3\n",
    "promtool_tests/data/text.csv": "time,a,b\n0,1,2\n15,x,2\n",
    "promtool_tests/data/empty.csv": "time,value\n",
    "promtool_tests/data/good.csv": "time,value\n0,1\n15,2\n",
}
needs_promtool = pytest.mark.skipif(not versions(), reason="no promtool on PATH")
each_version = pytest.mark.parametrize("folder", versions())


@pytest.fixture(autouse=True)
def _forget() -> None:
    forget_files()


@pytest.mark.parametrize("case", BAD, ids=lambda case: case["name"])
def test_all_mistakes_are_said_at_their_places(
    case: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    scenarios, problems = load(tmp_path, case["scenario"], files=CSV)
    assert said(problems) == case["says"]
    assert not scenarios.prepared


@needs_promtool
@each_version
@pytest.mark.parametrize("case", TOLD, ids=lambda case: case["name"])
def test_results_are_told_alike_by_every_promtool(
    case: dict[str, str], folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALERTKIT_TOOLS", folder)
    scenarios, problems = load(tmp_path, case["scenario"])
    assert not problems, said(problems)
    assert told(prove(scenarios, tmp_path)) == case["tells"]


@needs_promtool
@each_version
def test_the_file_of_a_scenario_is_plain_promtool(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, wanted in (("a breaker", 0), ("every expectation can fail", 1)):
        case = next(case for case in TOLD if case["name"] == name)
        scenarios, _ = load(tmp_path, case["scenario"])
        rules, tests = scenarios.prepared[0].files()
        (tmp_path / "x.rules.yml").write_text(rules)
        (tmp_path / "x.test.yml").write_text(tests.replace('"{rules}"', "x.rules.yml"))
        done = subprocess.run([f"{folder}/promtool", "test", "rules", "x.test.yml"], cwd=tmp_path, check=False)
        assert done.returncode == wanted


def _slice(scenarios: Scenarios) -> list[str]:
    return sorted({alert.name for alert in scenarios.prepared[0].alerts})


def test_the_slice_holds_what_reads_the_series_and_what_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = ['breaker_state{name="a"}: 0 for 5m', 'errors_total{env="prod"}: rate 0/s for 5m']
    body = "series:\n  {}\n  {}\nexpect:\n  at 5m: nothing fires\n".format(*lines)
    scenarios, problems = load(tmp_path, body)
    assert not problems, said(problems)
    assert _slice(scenarios) == ["BreakerOpen", "Errors"]
    scenarios, problems = load(tmp_path, body.replace("nothing fires", "LastTick fires"))
    assert not problems, said(problems)
    assert _slice(scenarios) == ["BreakerOpen", "Errors", "LastTick"]


@needs_promtool
def test_what_passed_is_remembered_and_what_failed_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alertkit.prove.running.memory import Memory
    from alertkit.prove.running.results import Result
    from alertkit.prove.running.runner import Run
    from alertkit.source import Problems
    from alertkit.toolchain import find

    monkeypatch.chdir(tmp_path)
    tool = find("promtool")
    assert tool is not None
    good, bad = (
        next(case["scenario"] for case in TOLD if case["name"] == name)
        for name in ("a breaker", "every expectation can fail")
    )
    for text, cached in ((good, True), (bad, False)):
        seen = []
        for _ in range(2):
            memory = Memory(tmp_path / "memory.json", tool, {})
            scenarios, _ = load(tmp_path, text)
            events = scenarios.prove(Run(tool, tmp_path / "keep", memory=memory), Problems())
            results = [event for event in events if isinstance(event, Result) and "notified" not in event.case]
            memory.save()
            seen.append({result.cached for result in results})
        assert seen == [{False}, {cached}]
    # Only a text that promtool does not compare has changed, and yet it is proven anew.
    scenarios, _ = load(
        tmp_path, good.replace('with summary "Breaker of kraken is open"', 'with summary "Breaker is open"')
    )
    memory = Memory(tmp_path / "memory.json", tool, {})
    events = scenarios.prove(Run(tool, tmp_path / "keep", memory=memory), Problems())
    failed = [event.case for event in events if isinstance(event, Result) and not event.passed]
    assert failed == ['one, at 8m: BreakerOpen fires with summary "Breaker is open"']
