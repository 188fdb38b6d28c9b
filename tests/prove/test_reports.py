"""`alertkit test` with a rule that is wrong: what each option and form says of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from alertkit.cli import main
from alertkit.compile import system
from alertkit.compile.ruleset import Alert
from alertkit.report.json import SCHEMA
from tests.projects import small
from tests.report.junit import checked
from tests.report.schema import errors

HOT = "Hot: {kind: threshold, metric: temperature, by: [room], above: {warning: 1, critical: 3}, for: 20m}"
COLD = "Cold: {kind: threshold, metric: frost, above: 1}"

pytestmark = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Runs alertkit in a project where the rules of `Hot` ask for more than its spec says."""
    monkeypatch.chdir(small(tmp_path, HOT, COLD))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    real = system.compile_system

    def wrong(alert: Alert) -> Alert:
        if alert.name != "Hot":
            return alert
        return alert._replace(rules=tuple(r._replace(expr=r.expr.replace("> 1", "> 1.5")) for r in alert.rules))

    def compiled(*arguments: object) -> object:
        made = real(*arguments)  # type: ignore[arg-type]
        return None if made is None else made._replace(alerts=tuple(map(wrong, made.alerts)))

    monkeypatch.setattr(system, "compile_system", compiled)
    yield lambda *arguments: CliRunner().invoke(main, list(arguments), catch_exceptions=False)


def test_a_failure_has_a_picture_and_what_does_not_apply_a_reason(command) -> None:  # type: ignore[no-untyped-def]
    done: Result = command("test", "-v")
    assert done.exit_code == 1
    rows = done.output.split("\n")
    place = rows.index("  FAIL just-past warning   rules_src/demo.yaml:4:3")
    assert "; it is silent" in rows[place + 2]
    signal, alert, pointer = rows[place + 3 : place + 6]
    assert signal.strip().startswith("signal ▁") and signal.endswith("0.5 to 3, warning > 1")
    assert alert[pointer.index("▲")] == "·"  # it neither pends nor fires
    assert signal[pointer.index("▲")] == "▅"  # 1.001: just above the middle
    assert rows[0] == "demo Hot  rules_src/demo.yaml:4:3" and "demo Cold  rules_src/demo.yaml:5:3" in rows
    cold = rows[rows.index("demo Cold  rules_src/demo.yaml:5:3") :]
    assert "  n/a  identity: it has one instance only, as no label tells two apart" in cold
    assert not any("identity" in row and "ok" in row for row in cold)
    assert "2 alerts in 1 system" in done.output


def test_the_picture_is_plain_where_the_terminal_is(command, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    from alertkit.report import picture

    monkeypatch.setattr(picture, "marks_for", lambda _: picture.ASCII)
    done: Result = command("test", "-k", "Hot and just-past and warning")
    assert done.output.isascii()
    assert "signal ____" in done.output and "####" in done.output and "p pending F firing" in done.output
    assert "1 case failed: 1 alert in 1 system, 1 case, " in done.output


def test_a_picture_that_cannot_be_had_is_left_out(command, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    from alertkit.prove.running import trace

    monkeypatch.setattr(trace, "_questions", lambda *_: "this is no test file")
    done: Result = command("test", "-k", "Hot")
    assert done.exit_code == 1 and "FAIL just-past warning" in done.output
    assert "signal ▁" not in done.output and "error[" not in done.output


def test_every_form_says_the_same(command, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = command("test", "--format", "json", "--junit", "out/results.xml")
    data = json.loads(done.output)
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert done.exit_code == 1 and errors(data, schema, schema) == []
    failed = [row for row in data["results"] if not row["passed"]]
    assert {row["id"] for row in failed} >= {"demo::Hot::warning::just-past"}
    assert all(row["failed_at"] and row["trace"]["moments"] and row["details"] for row in failed)
    root = checked((tmp_path / "out" / "results.xml").read_text(encoding="utf-8"))
    cases = [f"{c.get('classname')}::{c.get('name')}" for c in root.iter("testcase") if c.find("failure") is not None]
    assert cases == [f"demo.{row['id'].removeprefix('demo::')}" for row in failed]
    assert int(root.attrib["skipped"]) == len(data["skipped"]) > 0
    lines = command("test", "--format", "github").output.splitlines()
    assert len(lines) == 2 and lines[0].startswith("::error file=rules_src/demo.yaml,line=4,col=3,title=demo%3A%3AHot")
    assert all(row["details"][-1] in lines[0].replace("%0A", "\n") for row in failed)
    assert lines[1].startswith(f"{len(failed)} cases failed: ")


def test_words_choose_cases_and_fail_fast_stops(command) -> None:  # type: ignore[no-untyped-def]
    ids = lambda done: [row["id"] for row in json.loads(done.output)["results"]]  # noqa: E731
    chosen = ids(command("test", "--format", "json", "-k", "just-past and not critical"))
    assert chosen == ["demo::Hot::warning::just-past", "demo::Cold::warning::just-past"]
    every = ids(command("test", "--format", "json"))
    shares = [ids(command("test", "--format", "json", "--shard", f"{n}/2")) for n in (1, 2)]
    assert sorted(shares[0] + shares[1]) == sorted(every)
    stopped = json.loads(command("test", "--format", "json", "--fail-fast", "--no-cache").output)["results"]
    assert [row["passed"] for row in stopped].count(False) == 1 and len(stopped) < len(every)
    assert "stopped there" in command("test", "--fail-fast").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-k", "nothing_like_it"), "no case has an id that fits -k 'nothing_like_it'"),
        (("-k", "a b"), "`and` or `or` is missing before `b`"),
        (("--shard", "3/2"), "there is no share 3 of 2"),
        (("--mutate", "--junit", "x.xml"), "--mutate goes with"),
        (("--junit", "rules_src/demo.yaml/x.xml", "-k", "Cold"), "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said(command, arguments: tuple[str, ...], message: str) -> None:  # type: ignore[no-untyped-def]
    done = command("test", *arguments)
    assert done.exit_code == 2 and message in done.output


def test_a_mistake_in_a_spec_is_said_in_every_form(command, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    small(tmp_path, "Hot: {kind: treshold, metric: temperature, above: 1}")
    done = command("test", "--format", "json", "--junit", "results.xml")
    assert done.exit_code == 2
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    data = json.loads(done.stdout)
    assert errors(data, schema, schema) == [] and not data["passed"] and data["problems"]
    root = checked((tmp_path / "results.xml").read_text(encoding="utf-8"))
    assert int(root.attrib["errors"]) == len(data["problems"])
    assert command("test", "--format", "github").stdout.startswith("::error file=rules_src/demo.yaml,line=4,")
