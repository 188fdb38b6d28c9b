"""`alertkit test`: all five systems hold on every promtool, and a rule that is wrong is noticed and told in words."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from alertkit.cli import main
from alertkit.compile.ruleset import Alert, Rule, System
from alertkit.prove.derived.cases import Proof, proofs_of
from alertkit.prove.derived.inapplicable import inapplicable
from alertkit.prove.derived.names import CASES
from alertkit.prove.plain.files import prove_plain
from alertkit.prove.plain.folder import plain_files
from alertkit.prove.running import results, runner
from alertkit.prove.running.batch import Batch, Job, jobs_of, pack
from alertkit.prove.running.output import FileVerdict, read_output
from alertkit.prove.running.pool import MOST_COST, shares_of
from alertkit.prove.running.runner import Run, prove
from alertkit.source import Problems
from alertkit.toolchain.tools import inspect
from tests.projects import shipped, small, systems_of
from tests.servers import versions

LATENCY = "Slow: {kind: latency, histogram: h_seconds, by: [path], above: {warning: 1s, critical: 3s}}"


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments), catch_exceptions=False)

    yield run


def proven(systems: list[System], promtool: Path, keep: Path, isolate: bool = False) -> list[results.Result]:
    problems = Problems()
    run = Run(inspect("promtool", promtool, "test"), keep, isolate=isolate)
    found = [event for event in prove(systems, run, problems) if isinstance(event, results.Result)]
    assert not problems
    return found


@pytest.mark.parametrize("promtool", versions("promtool"))
def test_the_five_systems_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, promtool: Path) -> None:
    monkeypatch.chdir(shipped(tmp_path))
    systems = systems_of(tmp_path)
    assert len(systems) == 5
    found = proven(systems, promtool, tmp_path / "keep")
    assert [r.id for r in found if not r.passed] == []
    told = {(r.system, r.alert) for r in found}
    wanted = {(s.name, a.name) for s in systems for a in s.alerts if not a.companion and a.claim is not None}
    assert told == wanted and len(wanted) > 90


def test_merged_and_isolated_runs_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    monkeypatch.chdir(shipped(tmp_path))
    some = [s for s in systems_of(tmp_path) if s.name in ("peak_trade", "spark_stacker")]  # all take half a minute
    systems = [broken(s, "HighLatency", lambda e: e.replace("> 1", "> 2")) for s in some]
    assert len(systems) == 2
    merged = proven(systems, Path(promtool), tmp_path / "keep")
    isolated = proven(systems, Path(promtool), tmp_path / "keep", isolate=True)

    def told(found: list[results.Result]) -> list[tuple[str, bool, tuple[str, ...]]]:
        return sorted((r.id, r.passed, r.details) for r in found)

    assert told(merged) == told(isolated)
    assert any(not r.passed for r in merged)


def broken(system: System, name: str, change: object) -> System:
    """The system with the PromQL of one alert (and of the records) changed behind the claim's back."""

    def mend(alert: Alert) -> Alert:
        if alert.name != name:
            return alert
        return alert._replace(rules=tuple(rule._replace(expr=change(rule.expr)) for rule in alert.rules))  # type: ignore[operator]

    return system._replace(alerts=tuple(map(mend, system.alerts)))


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (lambda rule: rule._replace(expr=rule.expr.replace("> 1", "> 1.01")), "just-past"),
        (lambda rule: rule._replace(expr=rule.expr.replace("> 1", "> 0.99")), "just-inside"),
        (lambda rule: rule._replace(for_=rule.for_ // 2), "blip"),
        (lambda rule: rule._replace(for_=rule.for_ * 2), "just-past"),
        (lambda rule: rule._replace(labels=(*rule.labels, ("extra", "x"))), "just-past"),
        (lambda rule: rule._replace(annotations=(("summary", "other"),)), "just-past"),
        (lambda rule: rule._replace(expr="vector(1)"), "at-rest"),
    ],
    ids=["threshold-up", "threshold-down", "for-halved", "for-doubled", "label", "annotation", "always"],
)
def test_a_wrong_rule_fails_at_the_right_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: object, case: str
) -> None:
    spec = "Hot: {kind: threshold, metric: temperature, by: [room], above: 1}"
    assert case in failing(spec, change, tmp_path, monkeypatch)


COUNTER = "Busy: {kind: rate, counter: events_total, by: [queue], above: 10/s}"
GAUGE = "Hot: {kind: threshold, metric: temperature, by: [room], above: 1}"
LEVELS = "Hot: {kind: threshold, metric: temperature, by: [room], above: {warning: 1, critical: 3}}"
SHRUNK = "Shrunk: {kind: change, metric: balance, offset: 1h, direction: down, above: 10%}"
ERRORS = "Errors: {kind: ratio, bad: bad_total, total: all_total, by: [job], above: 5%, min_events: 20}"
HITS = "Hits: {kind: ratio, good: hits_total, bad: misses_total, by: [cache], below: 50%, min_events: 100}"
BURNING = "Burning: {kind: burn_rate, objective: 99%, ratio: {bad: bad_total, total: all_total}, by: [job]}"
FAILED = "Failed: {kind: increase, counter: failures_total, by: [job], for: 0s}"


@pytest.mark.parametrize(
    ("spec", "before", "after", "cases"),
    [
        (COUNTER, "sum by (queue) (rate(events_total[5m]))", "-deriv(events_total[5m]) * -1", {"reset"}),
        (COUNTER, "rate(events_total[5m])", "rate(events_total[5m] offset 1d)", {"just-past", "born"}),
        (GAUGE, "temperature", "last_over_time(temperature[2m])", {"gap"}),
        (GAUGE, "temperature", "max_over_time(temperature[20m])", {"gap"}),
        (LEVELS, "> 3", "> 1", {"levels"}),
        (GAUGE, "temperature", "(temperature and temperature offset 1m)", {"born"}),
        (SHRUNK, "balance offset 1h", "(balance offset 1h or balance + 2 * balance)", {"born"}),
        (COUNTER, "> 10", ">= 10", {"just-inside"}),
        (ERRORS, "> 0.05", ">= 0.05", {"just-inside"}),
        (ERRORS, ">= 20", "> 20", {"thin"}),
        (HITS, "or 0 * sum by (cache) (rate(misses_total[5m]))", "", {"born"}),
        (BURNING, "(increase(all_total[1h])) >= 10", "(increase(all_total[1h])) >= 9.9", {"thin"}),
        (BURNING, "(increase(all_total[1h])) >= 10", "(increase(all_total[1h])) >= 10.1", {"just-past"}),
        (FAILED, "(max_over_time(", "(0 * max_over_time(", {"born"}),
        (FAILED, "[1h]", "[2h]", {"born"}),
        (FAILED, "[1h]", "[30m]", {"born"}),
    ],
)  # fmt: skip
def test_interrupted_series_and_levels_have_cases_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: str, before: str, after: str, cases: set[str]
) -> None:
    def change(rule: Rule) -> Rule:
        return rule._replace(expr=rule.expr.replace(before, after))

    assert cases <= failing(spec, change, tmp_path, monkeypatch)


# Proofs that were seen to pass: alerts are changed in several ways.
_hold: set[tuple[str, int]] = set()


def failing(spec: str, change: object, folder: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The cases of an alert that fail after a change to its rules; without it none does."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    monkeypatch.chdir(small(folder, spec))
    (system,) = systems_of(folder)
    cases: set[str] = set()
    for number, job in enumerate(jobs_of(system, proofs_of(system))):
        if (spec, number) not in _hold:
            assert verdict(job, Path(promtool), folder).passed
            _hold.add((spec, number))
        changed = tuple(map(change, job.rules))  # type: ignore[call-overload]
        assert changed != job.rules
        wrong = verdict(replace(job, rules=changed), Path(promtool), folder)
        told = {check.time: check.case for check in job.proof.checks}
        cases |= {told[failure.time] for failure in wrong.failures}
    return cases


def test_each_alert_tells_of_every_case_that_it_has_it_or_why_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shipped(tmp_path))
    for system in systems_of(tmp_path):
        proofs = proofs_of(system)
        for alert, companion in system.with_companions():
            if alert.claim is None:
                continue
            found = {(c.severity, c.case) for proof in proofs if proof.alert is alert for c in proof.checks}
            reasons = inapplicable(alert, alert.claim, companion, found)
            assert {case for _, case in found} | {case for case, _ in reasons} >= set(CASES), alert.name
            assert all("no such case" not in reason for _, reason in reasons), (alert.name, reasons)


def verdict(job: Job, promtool: Path, folder: Path) -> FileVerdict:
    """What promtool says of one job."""
    rules, tests = Batch((job,)).files()
    (folder / "b.rules.yml").write_text(rules, encoding="utf-8")
    (folder / "b.test.yml").write_text(tests.replace('"{rules}"', "b.rules.yml"), encoding="utf-8")
    done = subprocess.run([promtool, "test", "rules", folder / "b.test.yml"], capture_output=True, text=True)
    found = read_output(done.stdout + done.stderr, 1)
    assert found is not None
    return found[0]


def test_results_in_words(command, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    small(tmp_path, LATENCY)
    done = command("test", "-v")
    assert done.exit_code == 0
    assert "demo Slow  rules_src/demo.yaml:4:3" in done.output
    assert "  ok   just-past critical" in done.output
    assert "all passed: 1 alert in 1 system," in done.output
    again = command("test")
    assert "unchanged since they last passed" in again.output
    data = json.loads(command("test", "--format", "json").output)
    assert data["passed"] and {r["case"] for r in data["results"]} >= {"at-rest", "just-inside", "just-past", "blip"}


def test_a_plain_test_file_runs_and_fails_at_its_line(command, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    small(tmp_path, "Hot: {kind: threshold, metric: temperature, by: [room], above: 30}")
    (tmp_path / "promtool_tests").mkdir()
    plain = tmp_path / "promtool_tests" / "demo.test.yml"
    plain.write_text(
        """\
rule_files: [../build/rules/demo.yml]
evaluation_interval: 1m
tests:
  - name: hot at 31
    interval: 1m
    input_series:
      - {series: 'temperature{room="a"}', values: 31x20}
    alert_rule_test:
      - eval_time: 5m
        alertname: Hot
        exp_alerts:
          - exp_labels: {room: a, severity: warning, system: demo}
            exp_annotations: {summary: temperature is 31, value: "31"}
""",
        encoding="utf-8",
    )
    assert command("test").exit_code == 0
    small(tmp_path, "Hot: {kind: threshold, metric: temperature, by: [room], above: 35}")
    done = command("test")
    assert done.exit_code == 1
    assert "FAIL hot at 31   promtool_tests/demo.test.yml:9:9" in done.output
    assert 'expected to fire: Hot{room="a", severity="warning", system="demo"}; it is silent' in done.output
    plain.write_text("rule_files: [../build/rules/gone.yml]\nevaluation_interval: 1m\ntests: []\n", encoding="utf-8")
    bad = command("test")
    assert bad.exit_code == 2
    assert "AK801" in bad.output and "AK802" in bad.output


def test_without_promtool_the_way_to_get_it_is_said(command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    small(tmp_path, LATENCY)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("ALERTKIT_TOOLS", raising=False)
    done = command("test")
    assert done.exit_code == 3
    assert "AK601" in done.output and "alertkit tools install" in done.output
    assert os.environ["PATH"] == str(tmp_path)


def test_no_process_is_given_more_than_it_can_do_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    burning = "Burning{}: {{kind: burn_rate, objective: 99.9%, ratio: {{bad: bad{}_total, total: all{}_total}}}}"
    monkeypatch.chdir(small(tmp_path, *(burning.format(i, i, i) for i in range(100))))
    (system,) = systems_of(tmp_path)
    batches = pack(jobs_of(system, proofs_of(system)))
    shares = shares_of([batch.cost for batch in batches], 2)
    assert sorted(i for share in shares for i in share) == list(range(len(batches)))
    costs = [sum(batches[i].cost for i in share) for share in shares]
    assert sum(costs) > 6 * MOST_COST  # six processes would be given too much each
    assert max(costs) < 2 * MOST_COST


@pytest.mark.parametrize("promtool", versions("promtool")[:1])
def test_a_failure_at_a_time_of_no_case_is_no_success(
    tmp_path: Path, promtool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Expectations without a case (here they are taken away) are told as failures, beside what passes."""
    monkeypatch.chdir(small(tmp_path, *(f"{name}: {{kind: threshold, metric: {name}, above: 1}}" for name in "AB")))
    (system,) = systems_of(tmp_path)
    wrong = system._replace(alerts=tuple(map(never, system.alerts[:1])) + system.alerts[1:])
    real = runner.proofs_of

    def without(*asked: Any) -> list[Proof]:
        return [p._replace(checks=p.checks[:1]) if p.alert.name == "A" else p for p in real(*asked)]

    monkeypatch.setattr(runner, "proofs_of", without)
    found = proven([wrong], promtool, tmp_path / "keep")
    assert {r.alert for r in found if not r.passed} == {"A"} and {r.alert for r in found if r.passed} >= {"B"}
    assert any("A at " in line and line.endswith(" is not as expected") for r in found for line in r.details)


def never(alert: Alert) -> Alert:
    return alert._replace(rules=tuple(rule._replace(expr=rule.expr.replace("> 1", "> 1e9")) for rule in alert.rules))


def test_mistakes_of_specs_routing_and_tests_are_told_in_one_run(command: Any, tmp_path: Path) -> None:
    """What is wrong with a scenario does not wait until its specs compile, and nothing is made up about it."""
    folder = shipped(tmp_path)

    def slip(path: str, right: str, wrong: str) -> None:
        text = (folder / path).read_text(encoding="utf-8")
        assert right in text, path
        (folder / path).write_text(text.replace(right, wrong, 1), encoding="utf-8")

    slip("alertkit.yaml", "rules_dir:", "rules_dri:")
    slip("alertmanager/routing.yaml", "to: trading-slack", "to: trading-slak")
    slip("rules_src/peak_trade.yaml", "    for: 1m\n", "    fro: 1m\n")
    slip("rules_src/spark_stacker.yaml", "team: spark", "team: spark\nsystem: x")
    slip("promtool_tests/peak_trade.yaml", "    step: 15s", "    stepp: 15s")
    slip("promtool_tests/peak_trade.yaml", "CircuitBreakerOpen is pending", "CircuitBreakerOpen is pendng")
    slip("promtool_tests/peak_trade.yaml", "RetryStorm{", "RetryStrom{")
    slip("promtool_tests/spark_stacker.yaml", "scenarios:", "foo: 1\nscenarios:")
    slip("promtool_tests/crypto_stock.yaml", "LastTradeStale", "LastTradeStole")
    slip("promtool_tests/autonomous_trader.yaml", "at 8m: nothing fires", "at 8m: nothing fire")
    # That alert is notified there, too, which is no second mistake.
    slip("promtool_tests/autonomous_trader.yaml", "at 3h: LowLLMConfidence fires", "at 3h: LowLLMConfidense fires")
    slip("promtool_tests/autonomous_trader.yaml", '- LowLLMConfidence{severity="warning"} fires', "- nothing fires")
    slip("promtool_tests/peak_trade.test.yml", "tests:", "tests: [")
    (folder / "promtool_tests/a.test.yml").write_text(
        "rule_files: [r.yml]\ntests:\n- interval: 1\n  input_series:\n"
        "  - {series: up, values: '{{schema:0 sum:1}}+{{schema:0 sum:1}}x5 {{count:1 sum:1}} 5y3'}\n",
        encoding="utf-8",
    )
    (folder / "promtool_tests" / "more").mkdir()
    for name in ("one.YAML", "more/two.yaml", "more/three.test.yml", ".#four.yaml"):
        (folder / "promtool_tests" / name).write_text("scenarios: {}\n")
    (folder / "promtool_tests" / "more" / "rules.yaml").write_text("groups: []\n")  # what a test may read
    done = command("test")
    assert done.exit_code == 2
    assert [line.split(":")[0] + line.split("error")[1] for line in done.stderr.split("\n") if ": error[" in line] == [
        "alertkit.yaml[AK201]: unknown key `rules_dri`",
        "alertmanager/routing.yaml[AK500]: there is no receiver `trading-slak`",
        "promtool_tests/a.test.yml[AK301]: `1` is not a duration",
        "promtool_tests/a.test.yml[AK803]: `5y3` is no value of a series",
        "promtool_tests/autonomous_trader.yaml[AK818]: autonomous_trader has no alert `LowLLMConfidense`",
        "promtool_tests/autonomous_trader.yaml[AK817]: `nothing fire` is no expectation",
        "promtool_tests/crypto_stock.yaml[AK818]: crypto_stock has no alert `LastTradeStole`",
        "promtool_tests/more/three.test.yml[AK115]: this file is not read, as it is in a subfolder, like 1 more below"
        " `more/`",
        "promtool_tests/one.YAML[AK115]: this file is not read, as its name ends with `.YAML`",
        "promtool_tests/peak_trade.test.yml[AK100]: a `,` or `]` is missing before this",
        "promtool_tests/peak_trade.yaml[AK201]: unknown key `stepp`",
        "promtool_tests/peak_trade.yaml[AK817]: `is pendng` is nothing that an alert does",
        "promtool_tests/peak_trade.yaml[AK818]: peak_trade has no alert `RetryStrom`",
        "promtool_tests/spark_stacker.yaml[AK201]: unknown key `foo`",
        "rules_src/peak_trade.yaml[AK201]: unknown key `fro`",
        "rules_src/spark_stacker.yaml[AK105]: the key `system` stands here a second time",
    ]


@pytest.mark.parametrize("promtool", versions("promtool"))
def test_what_no_promtool_takes_in_plain_files_is_told_of_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, promtool: Path
) -> None:
    """Each mistake at its place; where that is not known, in promtool's own words."""
    monkeypatch.chdir(tmp_path)
    rules = "rule_files: [r.yml]\n"
    files = {
        "r.yml": "groups: [{name: a, rules: [{alert: A, expr: up == 0}]}]\n",
        "a.test.yml": f"{rules}evaluation_interval: 15q\n"
        "tests:\n- interval: 15s\n  input_series:\n"
        "  - {series: 'up{', values: '1 z 2x10 0+1x4 _ stale'}\n"
        "  - {series: up, values: '1 2-x5 -Inf 1e-3 .5x2'}\n"
        "  alert_rule_test: [{eval_time: 5x, alertname: A}, {eval_time: 5, alertname: A}]\n",
        "b.test.yml": "rule_files: [q.yml]\ntests:\n- interval: 1m\n",
        "c.test.yml": f"{rules}tests:\n- interval: 1m\n  nam: a\n",
        "d.test.yml": f"{rules}tests: [{{interval: 1m, alert_rule_test: [{{eval_time: 5z, alertname: A}}]}}]\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    run = Run(inspect("promtool", promtool, "test"), tmp_path / "keep")
    problems = Problems()
    assert not [e for e in prove_plain(plain_files(tmp_path), run, problems) if isinstance(e, results.Result)]
    assert [f"{problem.span} {problem.message}" for problem in problems.ordered()] == [
        "a.test.yml:2:22 `15q` is not a duration",
        "a.test.yml:6:14 `up{` is no series: `{` is never closed",
        "a.test.yml:6:32 `z` is no value of a series",
        "a.test.yml:7:29 `2-x5` is no value of a series",
        "a.test.yml:8:33 `5x` is not a duration",
        "a.test.yml:8:64 `5` is not a duration",
        "b.test.yml:1:14 no rule file is at `q.yml`",
        "c.test.yml:4:1 promtool does not take it: line 4: field nam not found in type main.testGroup",
        "d.test.yml:2:54 `5z` is not a duration",
    ]
