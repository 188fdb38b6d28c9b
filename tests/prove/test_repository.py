"""`alertkit test --rules`: each test of plain promtool files has promtool's own verdict, whatever is left out."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from alertkit.cli import main
from tests.servers import versions

PLAIN = Path(__file__).parent / "plain"
FILES = sorted(path.name for path in (PLAIN / "tests").glob("*.yml"))
ALL = [f"tests/{name}" for name in FILES]
each_promtool = pytest.mark.parametrize("promtool", versions("promtool"))
Command = Callable[..., Result]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    shutil.copytree(PLAIN, tmp_path / "repo")
    monkeypatch.chdir(tmp_path / "repo")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return lambda *arguments: CliRunner().invoke(main, ["test", *arguments], catch_exceptions=False)


def of_promtool(promtool: Path) -> list[tuple[str, bool]]:
    """The verdict on every test, each alone in its file with all rules; nothing else in the files changes."""
    found = []
    for name in FILES:
        path = Path("tests") / name
        root = yaml.compose(path.read_text(encoding="utf-8"))
        (tests,) = [value for key, value in root.value if key.value == "tests"]
        nodes = list(tests.value)
        for index, node in enumerate(nodes):
            tests.value = [node]
            alone = path.with_name(f"alone-{index}-{name}")
            alone.write_text(yaml.serialize(root), encoding="utf-8")
            done = subprocess.run([promtool, "test", "rules", alone], capture_output=True, text=True, check=False)
            alone.unlink()
            title = [value.value for key, value in node.value if key.value == "name"]
            found.append((title[0] if title else f"test {index + 1}", done.returncode == 0))
    return found


def verdicts(done: Result) -> list[tuple[str, bool]]:
    return [(row["case"], row["passed"]) for row in json.loads(done.stdout)["results"]]


@each_promtool
def test_each_test_has_the_verdict_of_promtool(
    command: Command, monkeypatch: pytest.MonkeyPatch, promtool: Path
) -> None:
    monkeypatch.setenv("ALERTKIT_TOOLS", str(promtool.parent))
    wanted = of_promtool(promtool)
    assert [passed for _, passed in wanted].count(True) == 7 and len(wanted) == 17
    done = command("--rules", "rules/*.yml", *ALL, "--format", "json")
    assert done.exit_code == 1
    assert verdicts(done) == wanted


def told(done: Result) -> str:
    """The output without the version and the seconds."""
    return re.sub(r", with promtool \S+ in \S+ s", "", done.output)


def test_failures_are_told_in_words_at_their_place(command: Command) -> None:
    done = command("--rules", "rules/*.yml", "tests/node.test.yml")
    assert done.exit_code == 1
    assert (
        told(done)
        == """\
FAIL node.test::a busy node in the wrong words   tests/node.test.yml:19:5
     at 10m
       expected to fire: CpuHigh{instance="a", severity="warning"}; it fires, but differently:
         annotation summary: expected "a of south is busy", got "a of north is busy"
FAIL node.test::the mean of a cluster is wrong   tests/node.test.yml:42:5
     at 10m
       cluster:cpu:mean
       exp: {__name__="cluster:cpu:mean"} 5E-01
       got: {__name__="cluster:cpu:mean"} 1E+00
FAIL node.test::an alert that no rule makes   tests/node.test.yml:67:5
     at 1m
       expected to fire: Unheard{job="node"}; it is silent
4 of 7 tests passed; no test loads 1 of the rule files (-v names them)
"""
    )


def test_a_rule_file_that_cannot_be_read_is_named(command: Command) -> None:
    done = command("tests/broken-rules.test.yml")
    assert done.exit_code == 1
    (line,) = [row for row in done.output.splitlines() if "could not evaluate it" in row]
    assert line.startswith("     promtool could not evaluate it: rules/broken.yml: 5:15: ")


def test_which_tests_and_what_passed(command: Command) -> None:
    done = command("--rules", "rules/*.yml", "tests/node.test.yml", "-v", "-k", "busy and not wrong")
    assert done.exit_code == 0
    assert (
        told(done)
        == """\
ok   node.test::a busy node   tests/node.test.yml:5:5
rule files that no test loads: rules/broken.yml
1 of 1 tests passed; no test loads 1 of the rule files (-v names them)
"""
    )


def test_the_order_and_the_cores_do_not_matter(command: Command) -> None:
    one = verdicts(command("--rules", "rules/*.yml", *ALL, "--format", "json", "--jobs", "1", "--no-cache"))
    assert verdicts(command("--rules", "rules/*.yml", *reversed(ALL), "--format", "json", "--no-cache")) != one
    assert sorted(verdicts(command("--rules", "x", *reversed(ALL), "--format", "json", "--no-cache"))) == sorted(one)


def logging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A promtool in the way that writes down how often it tests, and then is the real one."""
    real, log, tools = shutil.which("promtool"), tmp_path / "log", tmp_path / "tools"
    if real is None:
        pytest.skip("promtool is not installed")
    tools.mkdir()
    log.touch()
    (tools / "promtool").write_text(
        f'#!/bin/sh\n[ "$1" = test ] && echo "$@" >> {log}\nexec {real} "$@"\n', encoding="utf-8"
    )
    (tools / "promtool").chmod(0o755)
    monkeypatch.setenv("ALERTKIT_TOOLS", str(tools))
    return log


def since(log: Path) -> int:
    """The number of test files since it was asked last."""
    text = log.read_text(encoding="utf-8")
    log.write_text("", encoding="utf-8")
    return text.count("test.yml")


def test_what_was_tested_is_remembered_by_content(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = logging(tmp_path, monkeypatch)
    run = ("--rules", "rules/*.yml", "tests/node.test.yml", "--format", "json")
    first = command(*run)
    assert since(log) == 7
    assert verdicts(command(*run)) == verdicts(first) and since(log) == 0
    command(*run, "--no-cache")
    assert since(log) == 7
    # No series of these tests reaches this rule, so only the one that asks for all ALERTS loads it.
    edit("rules/node-more.yml", "wanted_replicas != on", "wanted_replicas > on")
    assert verdicts(command(*run)) == verdicts(first) and since(log) == 1
    # What fails is remembered too, and the change of its test is seen.
    edit("tests/node.test.yml", "a of south is busy", "a of north is busy")
    assert [passed for _, passed in verdicts(command(*run))].count(True) == 5 and since(log) == 1
    edit("rules/node.yml", "instance:cpu:rate5m > 0.9", "instance:cpu:rate5m > 0.95")
    assert [passed for _, passed in verdicts(command(*run))].count(True) == 5 and since(log)


def edit(name: str, before: str, after: str) -> None:
    text = Path(name).read_text(encoding="utf-8")
    assert before in text
    Path(name).write_text(text.replace(before, after), encoding="utf-8")


def test_what_promtool_would_pass_over_is_an_error(command: Command) -> None:
    Path("empty.test.yml").write_text("rule_files: [gone/*.yml]\ntests: []\n", encoding="utf-8")
    Path("syntax.test.yml").write_text("tests: [\n", encoding="utf-8")
    done = command("--rules", "rules/*.yml", "empty.test.yml", "syntax.test.yml", "nowhere.yml")
    assert done.exit_code == 2
    assert (
        done.stderr
        == """\
empty.test.yml:1:1: error[AK801]: the file holds no tests
    1 | rule_files: [gone/*.yml]
      | ^
  help: add `tests:`, or remove the file

empty.test.yml:1:14: error[AK802]: no rule file is at `gone/*.yml`
    1 | rule_files: [gone/*.yml]
      |              ^
  help: promtool would test nothing and call it a success; paths are relative to this file

nowhere.yml:1:1: error[AK110]: the file cannot be read: no such file or directory
  help: check that it is a file, that it exists and that you may read it

syntax.test.yml:2:1: error[AK100]: not YAML: did not find expected node content
    2 |
      | ^

4 errors in 3 files
"""
    )


def test_mutants_of_a_repository(command: Command) -> None:
    run = ("--rules", "rules/*.yml", "tests/node.test.yml", "tests/same-names.test.yml", "--mutate")
    done = command(*run, "--format", "json")
    assert done.exit_code == 0
    rows = json.loads(done.stdout)["results"]
    state = {(row["alert"], row["change"]): (row["state"], row["noticed_by"] or row["why"]) for row in rows}
    assert state["CpuHigh", "`for: 5m` became 10m"] == ("noticed", "a busy node")
    assert state["CpuHigh", "`for: 5m` is gone"] == ("survived", "")
    assert state["NodeDown", "the label `severity` became `critical-changed`"] == ("noticed", "test 5")
    assert state["Mismatch", "`!=` became `==`"] == ("survived", "")
    assert {row["source"] for row in rows if row["state"] == "noticed"} == {"hand-written"}
    one = json.loads(command("tests/same-names.test.yml", "--mutate", "-k", "CpuHigh", "--format", "json").stdout)
    assert {row["why"] for row in one["results"]} == {"no test asks for it"} and one["percent"] == 0
    assert command(*run, "--fail-under", "99").exit_code == 1
    wrong = command(*run, "--generated")
    assert wrong.exit_code == 2 and "plain TESTS have no generated cases" in wrong.stderr
