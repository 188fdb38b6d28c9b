"""What has passed and has not changed is not proven again; whatever it depends on brings it back to promtool."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from alertkit.build import proving, systems
from alertkit.cli import main
from alertkit.cli import proving as command
from alertkit.compile import system
from alertkit.prove.running import runner
from tests.servers import binaries

pytestmark = pytest.mark.skipif(not binaries("promtool"), reason="promtool is not installed")

SPEC = "system: {0}\nalerts:\n  Hot: {{kind: threshold, metric: {0}_heat, by: [room], above: {1}, for: 1m}}\n"
SCENARIO = """\
system: one
scenarios:
  a hot day:
    series:
      one_heat{room="a"}: from ../data/heat.csv
    expect:
      at 1m: nothing fires
      at 9m: Hot{room="a"} fires
"""
PLAIN = """\
rule_files: [../other/rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    promql_expr_test:
      - {expr: answer, eval_time: 1m, exp_samples: [{labels: answer, value: 42}]}
"""
RULES = "groups:\n  - name: g\n    rules:\n      - {record: answer, expr: vector(%d)}\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two systems, a scenario that reads a recording, a plain test of rules elsewhere; `log` counts promtool's runs."""
    tools = tmp_path / "tools"
    for folder in ("tools", "shop/rules_src", "shop/promtool_tests", "shop/data", "shop/other"):
        (tmp_path / folder).mkdir(parents=True)
    wrapper = tools / "promtool"
    wrapper.write_text(
        f'#!/bin/sh\n[ "$1" = test ] && echo "$@" >> {tmp_path}/log\nexec {binaries("promtool")[0]} "$@"\n'
    )
    wrapper.chmod(0o755)
    monkeypatch.setenv("ALERTKIT_TOOLS", str(tools))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_COLOR", "1")
    shop = tmp_path / "shop"
    monkeypatch.chdir(shop)
    Path("alertkit.yaml").write_text("")
    put("rules_src/one.yaml", SPEC.format("one", 30))
    put("rules_src/two.yaml", SPEC.format("two", 30))
    put("promtool_tests/one.yaml", SCENARIO)
    put("promtool_tests/answer.test.yml", PLAIN)
    put("other/rules.yml", RULES % 42)
    put("data/heat.csv", "time,value\n0,20\n300,40\n600,40\n")
    return shop


def put(path: str, text: str) -> None:
    Path(path).write_text(text, encoding="utf-8")


def run(*arguments: str) -> Result:
    time.sleep(0.05)  # what changed in the same tick of the file system's clock as a look is not trusted
    return CliRunner().invoke(main, ["test", *arguments], catch_exceptions=False)


def asked(project: Path) -> int:
    """How often promtool has tested something."""
    log = project.parent / "log"
    return len(log.read_text().splitlines()) if log.exists() else 0


def ids(done: Result) -> set[tuple[str, bool]]:
    return {(row["id"], row["passed"]) for row in json.loads(done.stdout)["results"]}


def test_nothing_changed_asks_nobody_and_says_the_same(project: Path) -> None:
    first = run("--format", "json")
    assert first.exit_code == 0, first.output
    before = asked(project)
    again = run("--format", "json")
    assert again.exit_code == 0 and asked(project) == before
    assert ids(again) == ids(first) and len(ids(first)) > 15
    said = run()
    assert asked(project) == before and "unchanged since they last passed" in said.stdout
    assert run("--no-cache").exit_code == 0 and asked(project) > before


CHANGES: dict[str, Callable[[], None]] = {
    "a spec": lambda: put("rules_src/one.yaml", SPEC.format("one", 50)),
    "a recording": lambda: put("data/heat.csv", "time,value\n0,20\n600,20\n"),
    "a plain test's rules": lambda: put("other/rules.yml", RULES % 41),
    "a scenario": lambda: put("promtool_tests/one.yaml", SCENARIO.replace("nothing fires", "Hot fires")),
}


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_changes_is_noticed(project: Path, what: str) -> None:
    assert run().exit_code == 0
    CHANGES[what]()
    for _ in range(2):  # what failed is not remembered
        before = asked(project)
        assert run().exit_code == 1
        assert asked(project) > before


def test_another_promtool_is_asked_again(project: Path) -> None:
    assert run().exit_code == 0
    wrapper = project.parent / "tools" / "promtool"
    if len(binaries("promtool")) < 2:
        pytest.skip("there is one version of promtool only")
    before = asked(project)
    wrapper.write_text(wrapper.read_text().replace(str(binaries("promtool")[0]), str(binaries("promtool")[1])))
    assert run().exit_code == 0 and asked(project) > before


def test_one_changed_system_alone_is_proven_again(project: Path) -> None:
    first = run("--format", "json")
    put("rules_src/two.yaml", SPEC.format("two", 31))
    (project.parent / "log").unlink()
    again = run("--format", "json")
    assert again.exit_code == 0 and ids(again) == ids(first)
    rows = {row["id"]: row["cached"] for row in json.loads(again.stdout)["results"]}
    assert rows["one::Hot::warning::just-past"] and not rows["two::Hot::warning::just-past"]


def test_one_changed_alert_alone_is_derived_and_proven_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    derived: set[str] = set()
    real = runner.proofs_of
    monkeypatch.setattr(runner, "proofs_of", lambda made, names: derived.update(names) or real(made, names))
    cold = "  Cold: {kind: threshold, metric: cold, by: [room], below: %d, for: 1m}\n"
    put("rules_src/two.yaml", SPEC.format("two", 30) + cold % 5)
    assert run().exit_code == 0
    assert derived == {"Hot", "Cold"}
    derived.clear()
    # Every line of the spec has another number now, which is nothing to prove.
    put("rules_src/two.yaml", "# Rooms\n\n" + SPEC.format("two", 30) + cold % 6)
    rows = {row["id"]: row for row in json.loads(run("--format", "json").stdout)["results"]}
    assert rows["two::Hot::warning::just-past"]["cached"] and rows["two::Hot::warning::just-past"]["span"]["line"] == 5
    assert not rows["two::Cold::warning::just-past"]["cached"] and rows["two::Cold::warning::just-past"]["passed"]
    assert derived == {"Cold"}


def test_what_passed_beside_a_failing_alert_is_not_derived_again(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    derived: set[str] = set()
    put("rules_src/two.yaml", SPEC.format("two", 30) + "  Cold: {kind: threshold, metric: cold, below: 5, for: 1m}\n")
    compiled = system.compile_system

    def wrong(*arguments: object) -> object:
        made = compiled(*arguments)  # type: ignore[arg-type]
        assert made is not None
        rules = [rule._replace(expr=rule.expr.replace("< 5", "< 4")) for alert in made.alerts for rule in alert.rules]
        alerts = [alert._replace(rules=(rule,)) for alert, rule in zip(made.alerts, rules, strict=True)]
        return made._replace(alerts=tuple(alerts))

    monkeypatch.setattr(system, "compile_system", wrong)
    assert run("--no-cache").exit_code == 1
    first = json.loads(run("--format", "json").stdout)["results"]
    real = runner.proofs_of
    monkeypatch.setattr(runner, "proofs_of", lambda made, names: derived.update(names) or real(made, names))
    again = json.loads(run("--format", "json").stdout)["results"]
    assert derived == {"Cold"}
    assert [(row["id"], row["passed"]) for row in again] == [(row["id"], row["passed"]) for row in first]
    assert {row["alert"] for row in again if not row["passed"]} == {"Cold"}


def test_what_passed_beside_a_failure_is_known_again(project: Path) -> None:
    put("data/heat.csv", "time,value\n0,20\n600,20\n")  # the scenario fails, the generated cases pass
    assert run().exit_code == 1
    rows = json.loads(run("--format", "json").stdout)["results"]
    assert {row["cached"] for row in rows if "::warning::" in row["id"]} == {True}
    assert [row["cached"] for row in rows if not row["passed"]] == [False]


def test_a_large_project_is_proven_in_waves_as_if_it_were_whole(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("four", "three"):
        put(f"rules_src/{name}.yaml", SPEC.format(name, 30))
    whole = run("--no-cache", "--format", "json")
    moved: list[list[tuple[int, int]]] = []

    @contextmanager
    def progress(*_: object) -> Generator[Callable[[int, int], None]]:
        moved.append([])
        yield lambda done, total: moved[-1].append((done, total))

    read: list[int] = []
    real = systems.read_systems

    def counted(*arguments: object) -> object:
        found = real(*arguments)  # type: ignore[arg-type]
        read.append(len(found[1]))
        return found

    monkeypatch.setattr(command, "progress", progress)
    monkeypatch.setattr(systems, "read_systems", counted)
    monkeypatch.setattr(proving, "WAVE", 20)
    waves = run("--format", "json")
    assert waves.exit_code == 0 and ids(waves) == ids(whole)
    assert len(read) > 2 and sum(read) == 4  # never all at once, and none twice
    generated = [(done, total) for done, total in moved[0] if total == moved[0][0][1]]
    assert [done for done, _ in generated] == sorted(done for done, _ in generated)
    assert generated[-1][0] == generated[-1][1]
    put("rules_src/two.yaml", SPEC.format("two", 50))
    again = {row["id"]: row["cached"] for row in json.loads(run("--format", "json").stdout)["results"]}
    assert not again["two::Hot::warning::just-past"] and again["three::Hot::warning::just-past"]


TWO = """\
rule_files: [../other/rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series: [{series: one, values: 1 1}]
    promql_expr_test: [{expr: answer, eval_time: 1m, exp_samples: [{labels: answer, value: 42}]}]
  - name: twice
    interval: 1m
    input_series: [{series: other, values: 1 1}]
    promql_expr_test: [{expr: double, eval_time: 1m, exp_samples: [{labels: double, value: %d}]}]
"""
TWO_RULES = """\
groups:
  - name: g
    rules:
      - {record: answer, expr: one * 42}
      - {record: double, expr: other * %d}
"""


def test_plain_tests_are_known_one_by_one(project: Path) -> None:
    put("promtool_tests/answer.test.yml", TWO % 84)
    put("other/rules.yml", TWO_RULES % 84)
    assert run().exit_code == 0
    put("promtool_tests/answer.test.yml", TWO % 85)
    put("other/rules.yml", TWO_RULES % 85)
    again = run("--format", "json")
    rows = {row["id"]: row for row in json.loads(again.stdout)["results"] if row["id"].startswith("answer")}
    assert {id: (row["passed"], row["cached"]) for id, row in rows.items()} == {
        "answer::test 1": (True, True), "answer::twice": (True, False),
    }  # fmt: skip
    # One that fails brings the whole file back to promtool, which says the same as of the file alone.
    put("other/rules.yml", TWO_RULES % 86)
    found = [
        [
            (row["id"], row["passed"], row["cached"], row["details"])
            for row in json.loads(run("--format", "json", *more).stdout)["results"]
            if row["id"].startswith("answer")
        ]
        for more in ((), ("--isolate",))
    ]
    assert found[0] == found[1]
    assert [(passed, cached) for _, passed, cached, _ in found[0]] == [(True, False), (False, False)]
    assert found[0][1][3][1:] == [
        "  double",
        '  exp: {__name__="double"} 8.5E+01',
        '  got: {__name__="double"} 8.6E+01',
    ]
