"""`pytest promtool_tests` with the plugin, as users run it: in a process of its own, with the real promtool."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.projects import ROOT, small

pytest_plugins = ("pytester",)

PAST = "rules_src/demo.yaml::demo::Hot::warning::just-past"
PLAIN = """\
rule_files: [../build/rules/demo.yml]
evaluation_interval: 1m
tests:
  - name: hot at 31
    interval: 1m
    input_series:
      - {series: 'temperature{room="a"}', values: 31x20}
    alert_rule_test:
      - eval_time: 6m
        alertname: Hot
        exp_alerts:
          - exp_labels: {room: a, severity: warning, system: demo}
            exp_annotations: {summary: temperature is 31, value: "31"}
"""
SCENARIO = """\
system: demo
scenarios:
  a hot day:
    series:
      temperature{room="a"}: 0 for 5m, 31 for 10m
    expect:
      at 4m: nothing fires
      at 12m: Hot{room="a"} fires
"""
# The rules of `Hot` ask for more than its spec says, and promtool's batches are counted.
WRONG = """\
from dataclasses import replace
from pathlib import Path
import alertkit.build.proving as proving, alertkit.report.verdicts as verdicts
real, batch = proving.read_systems, verdicts.verdicts_on
def wrong(alert):
    if alert.name != "Hot":
        return alert
    return alert._replace(rules=tuple(r._replace(expr=r.expr.replace("> 1", "> 1.5")) for r in alert.rules))
def read(project, problems):
    inputs, systems = real(project, problems)
    return inputs, [s._replace(alerts=tuple(map(wrong, s.alerts))) for s in systems]
def counted(*arguments):
    with Path(__file__).with_name("batches").open("a") as stream:
        stream.write("one\\n")
    return batch(*arguments)
proving.read_systems, verdicts.verdicts_on = read, counted
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("XDG_CACHE_HOME", str(pytester.path / "cache"))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    small(pytester.path, "Hot: {kind: threshold, metric: temperature, by: [room], above: 1}")
    tests = pytester.path / "promtool_tests"
    tests.mkdir()
    (tests / "demo.test.yml").write_text(PLAIN, encoding="utf-8")
    (tests / "demo.yaml").write_text(SCENARIO, encoding="utf-8")
    return pytester


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return project.runpytest_subprocess("-p", "alertkit.pytest_plugin", *arguments)


needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")


def test_everything_is_collected_with_its_id(project: pytest.Pytester) -> None:
    done = run(project, "promtool_tests", "--collect-only", "-q")
    ids = [line for line in done.outlines if "::" in line]
    assert PAST in ids
    assert {"promtool_tests/demo.test.yml::demo::hot at 31",
            "promtool_tests/demo.yaml::demo::a hot day, at 4m: nothing fires",
            'promtool_tests/demo.yaml::demo::a hot day, at 12m: Hot{room="a"} fires'} < set(ids)  # fmt: skip
    assert len(ids) == len(set(ids)) and len(ids) > 8
    assert not (project.path / "build").exists()
    whole = [line for line in run(project, "--collect-only", "-q").outlines if "::" in line]
    assert sorted(whole) == sorted(ids)


@needs_promtool
def test_one_batch_failures_in_words_and_last_failed(project: pytest.Pytester) -> None:
    (project.path / "conftest.py").write_text(WRONG, encoding="utf-8")
    done = run(project, "promtool_tests", "--junit-xml=results.xml")
    outcomes = done.parseoutcomes()
    assert done.ret == 1 and outcomes["failed"] == 4 and outcomes["passed"] > 6
    assert (project.path / "batches").read_text() == "one\n"
    done.stdout.fnmatch_lines([
        "_* demo::Hot::warning::just-past _*", "demo Hot", "  FAIL just-past warning   rules_src/demo.yaml:4:3",
        "*expected to fire: Hot{room=*; it is silent", "*signal *warning > 1", f"FAILED {PAST}*",
    ])  # fmt: skip
    assert "Traceback" not in done.stdout.str() + done.stderr.str()
    root = ET.fromstring((project.path / "results.xml").read_bytes())
    failed = [case for case in root.iter("testcase") if case.find("failure") is not None]
    assert {case.get("name") for case in failed} == {"just-past", "identity", "gap", "born"}
    assert run(project, "promtool_tests", "--lf").parseoutcomes()["failed"] == 4
    first = run(project, "promtool_tests", "-x", "-k", "demo::Hot::warning").parseoutcomes()
    assert first["failed"] == 1 and first["deselected"] > 2
    assert run(project, PAST).parseoutcomes() == {"failed": 1}


@needs_promtool
def test_xdist_shares_one_batch(project: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    (project.path / "conftest.py").write_text(WRONG, encoding="utf-8")
    done = run(project, "-p", "xdist", "-n", "2", "promtool_tests", "--basetemp=base")
    outcomes = done.parseoutcomes()
    assert outcomes["failed"] == 4 and outcomes["passed"] > 6
    assert (project.path / "batches").read_text() == "one\n"
    done.stdout.fnmatch_lines(["  FAIL just-past warning   rules_src/demo.yaml:4:3"])


def test_without_promtool_items_are_errors_that_say_so(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(project.path))
    monkeypatch.delenv("ALERTKIT_TOOLS", raising=False)
    done = run(project, PAST)
    assert done.parseoutcomes() == {"errors": 1}
    done.stdout.fnmatch_lines(["error?AK601?: promtool is not installed"])
    assert "pytest_plugin.py" not in done.stdout.str()


def test_a_mistake_in_a_spec_is_an_error_of_its_file(project: pytest.Pytester) -> None:
    small(project.path, "Hot: {kind: treshold, metric: temperature, above: 1}")
    done = run(project, "promtool_tests")
    assert done.ret == 2
    done.stdout.fnmatch_lines(["_* ERROR collecting rules_src/demo.yaml _*", "rules_src/demo.yaml:4:*error?AK*"])
    assert "Traceback" not in done.stdout.str()


def test_nothing_is_collected_elsewhere_or_when_turned_off(project: pytest.Pytester) -> None:
    off = run(project, "promtool_tests", "--no-alertkit")
    assert off.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert run(project, "rules_src").ret == pytest.ExitCode.NO_TESTS_COLLECTED
    (project.path / "alertkit.yaml").write_text('tests: "other"  # elsewhere\n', encoding="utf-8")
    assert run(project, "promtool_tests").ret == pytest.ExitCode.NO_TESTS_COLLECTED
    (project.path / "alertkit.yaml").unlink()
    assert run(project).ret == pytest.ExitCode.NO_TESTS_COLLECTED
    (project.path / "promtool_tests").rename(project.path / "other")
    (project.path / "alertkit.yaml").write_text("tests: other\n", encoding="utf-8")
    assert any("::Hot::" in line for line in run(project, "other", "--collect-only", "-q").outlines)


def test_others_pay_nothing(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(
        "import sys\ndef test_it():\n"
        "    loaded = {name for name in sys.modules if name.startswith('alertkit')}\n"
        "    assert loaded == {'alertkit', 'alertkit.pytest_plugin'}\n"
        "    assert not {'pydantic', 'click', 'yaml', 'promql_parser'} & set(sys.modules)\n"
    )
    (pytester.path / "some.test.yml").write_text("tests: []\n", encoding="utf-8")
    done = pytester.runpytest_subprocess("-p", "alertkit.pytest_plugin")
    assert done.parseoutcomes() == {"passed": 1}


def test_who_waits_is_told_when_nobody_answers(tmp_path: Path) -> None:
    from alertkit.report.verdicts import Answers, Verdict, shared

    def never() -> Answers:
        raise AssertionError("the lock is taken")

    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    (tmp_path / "a.lock").write_text(gone.stdout, encoding="utf-8")
    assert "ended without a result" in shared(tmp_path, "a", never).trouble
    (tmp_path / "b.lock").write_text("1", encoding="utf-8")
    assert "no result after 0 s" in shared(tmp_path, "b", never, patience=0).trouble
    answers = Answers({"x": Verdict(False, ("line",))}, "trouble")
    assert shared(tmp_path, "c", lambda: answers) == answers
    assert shared(tmp_path, "c", never) == answers
