"""`alertkit doctor` and `alertkit tools` as people and scripts see them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import alertkit
from alertkit.cli import main
from tests.servers import binaries

CODES = Path(alertkit.__file__).parent / "source" / "codes"


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("ALERTKIT_TOOLS", raising=False)
    monkeypatch.delenv("ALERTKIT_MIRROR", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*words: str) -> Result:
    result = CliRunner().invoke(main, words)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def test_doctor_without_tools(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(world))
    result = call("doctor")
    assert result.exit_code == 3
    assert re.search(r"^promtool +missing", result.output, re.MULTILINE)
    assert "\n  alertkit tools install\n" in result.output
    data = json.loads(call("doctor", "--format", "json").output)
    assert data["tools"]["promtool"] is None and data["fix"] == "alertkit tools install"
    assert call("tools", "list").exit_code == 3


@pytest.mark.skipif(not binaries("promtool") or not binaries("amtool"), reason="promtool or amtool is not on PATH")
def test_doctor_with_tools(world: Path) -> None:
    (world / "alertkit.yaml").write_text("build: out\n")
    result = call("doctor")
    assert result.exit_code == 0
    assert str(world) in result.output
    data = json.loads(call("doctor", "--format", "json").output)
    assert data["project"]["root"] == str(world) and data["project"]["problems"] == 0
    assert data["tools"]["promtool"]["version"][0] in "23"
    assert "promtool" in call("tools", "list").output


@pytest.mark.parametrize(
    ("written_for", "said"),
    [
        ("0.25", 'The routing is written for Alertmanager 0.25, and 0.28 is here: `alertmanager_version: "0.28"`'),
        ("0.28", ""),
        ("0.33", "The routing is written for Alertmanager 0.33; the 0.28 here may refuse it: lower"),
    ],
)
def test_doctor_says_when_alertmanager_differs(
    world: Path, monkeypatch: pytest.MonkeyPatch, written_for: str, said: str
) -> None:
    monkeypatch.setenv("PATH", f"{world}:/bin")
    (world / "alertmanager").write_text("#!/bin/sh\necho 'alertmanager, version 0.28.1 (branch: x)'\n")
    (world / "alertmanager").chmod(0o755)
    (world / "alertkit.yaml").write_text(f'alertmanager_version: "{written_for}"\n')
    output = call("doctor").output
    assert said in output and ("The routing is written" in output) == bool(said)
    data = json.loads(call("doctor", "--format", "json").output)["project"]["alertmanager"]
    assert data == {"written_for": written_for, "here": "0.28", "too_new": written_for == "0.33"}


def test_doctor_with_a_broken_tool_and_a_broken_project(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{world}:/usr/bin:/bin")
    (world / "promtool").write_text("#!/bin/sh\nexit 7\n")
    (world / "promtool").chmod(0o755)
    (world / "alertkit.yaml").write_text("bild: out\n")
    result = call("doctor")
    assert result.exit_code == 3
    assert "`--version` ended with code 7" in result.output
    assert "with 1 problem" in result.output


def test_install_that_fails(monkeypatch: pytest.MonkeyPatch, world: Path) -> None:
    monkeypatch.setenv("PATH", str(world))
    result = call("tools", "install", "--mirror", "http://127.0.0.1:1", "--only", "promtool")
    assert result.exit_code == 3
    assert "error[AK610]" in result.output
    assert call("tools", "install", "--only", "promtol").exit_code == 2


@pytest.mark.parametrize("words", [["doctor"], ["tools"], ["tools", "install"], ["tools", "list"], ["reload"]])
def test_help_has_examples(words: list[str]) -> None:
    result = call(*words, "--help")
    assert result.exit_code == 0
    assert re.search(rf"Examples?:\n +alertkit {words[0]}|Examples?:\n +alertkit compile", result.output)


def test_every_code_of_ours_has_a_page() -> None:
    package = CODES.parent.parent
    used: set[str] = set()
    for folder in ("toolchain", "deploy"):
        for path in (package / folder).glob("*.py"):
            used |= set(re.findall(r'"(AK[67]\d\d)"', path.read_text("utf-8")))
    pages = {code: (CODES / f"{code}.md").read_text("utf-8") for code in used}
    for code, text in pages.items():
        assert re.match(r"# [A-Z].*[^.]\n\n", text), code
        assert f"error[{code}]" in text and "## What to do" in text


def test_reload_prints_what_was_done(world: Path) -> None:
    (world / "alertkit.yaml").write_text("environments:\n  prod: {rules_dir: rules}\n")
    (world / "rules").mkdir()
    result = call("reload", "--env", "prod")
    assert result.exit_code == 2
    assert "run `alertkit compile` first" in result.output
    (world / "build" / "rules").mkdir(parents=True)
    (world / "build" / "rules" / "a.yml").write_text("groups: [{name: a, rules: [{alert: A, expr: up == 0}]}]\n")
    if not binaries("promtool"):
        pytest.skip("promtool is not on PATH")
    result = call("reload", "--env", "prod", "--format", "json")
    assert result.exit_code == 0
    data = json.loads(result.output)
    assert data["loaded"] and data["problems"] == []
    (written,) = [step for step in data["steps"] if step["action"] == "write"]
    assert written["changed"] == ["a.yml"]
    assert (world / "rules" / "a.yml").exists()
    result = call("reload", "--env", "prud")
    assert result.exit_code == 2 and "did you mean `prod`?" in result.output
