"""`alertkit kinds` and `alertkit explain-error` as people and scripts see them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import alertkit
from alertkit.cli import main

PACKAGE = Path(alertkit.__file__).parent
CODES = PACKAGE / "source" / "codes"


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*words: str) -> Result:
    result = CliRunner().invoke(main, words)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def own_kind(world: Path, signal: str = "max by (<< by >>) (<< gauge >>)") -> None:
    folder = world / "rules_src" / "kinds"
    folder.mkdir(parents=True)
    (folder / "peak.yaml").write_text(
        "description: A gauge peaks\nparameters:\n"
        "  gauge: {type: metric, description: the gauge}\n  limit: {type: quantity, default: 5MB}\n"
        f"signal: {signal} / << limit >>\nstimulus: {{<< gauge >>: << value * limit >>}}\n"
    )


def test_kinds_lists_all(world: Path) -> None:
    own_kind(world)
    result = call("kinds")
    assert result.exit_code == 0
    assert re.search(r"^latency +A latency quantile is too high\.$", result.output, re.MULTILINE)
    assert re.search(r"^peak +A gauge peaks  \(this project's\)$", result.output, re.MULTILINE)
    data = json.loads(call("kinds", "--format", "json").output)
    assert len(data) == 18 and data[-1]["defined_by"] == "project"


def test_kinds_prints_a_page(world: Path) -> None:
    own_kind(world)
    output = call("kinds", "threshold").output
    assert "Pitfalls: a counter only ever rises" in output
    assert re.search(r"^metric +metric +must be given$", output, re.MULTILINE)
    output = call("kinds", "peak").output
    assert "PromQL: `max by (<< by >>) (<< gauge >>) / << limit >>`." in output
    assert re.search(r"^limit +quantity +5MB$", output, re.MULTILINE)
    data = json.loads(call("kinds", "peak", "--format", "json").output)
    assert data["parameters"][0] == {"name": "gauge", "type": "metric", "required": True, "default": None}


def test_kinds_tells_defaults_as_specs_have_them(world: Path) -> None:
    folder = world / "rules_src" / "kinds"
    folder.mkdir(parents=True)
    (folder / "waits.yaml").write_text(
        "description: Messages wait\nparameters: {metric: {type: metric, default: queue_messages_ready}}\n"
        "signal: max by (<< by >>) (<< metric >>)\nstimulus: {<< metric >>: << value >>}\n"
    )
    assert re.search(r"^metric +metric +queue_messages_ready$", call("kinds", "waits").output, re.MULTILINE)
    output = call("kinds", "latency").output
    assert re.search(r"^window +duration +5m$", output, re.MULTILINE)
    assert re.search(r"^buckets +list of quantities +none$", output, re.MULTILINE)


def test_kinds_of_an_unknown_name() -> None:
    result = call("kinds", "latncy")
    assert result.exit_code == 2 and "did you mean `latency`?" in result.output


def test_kinds_with_a_broken_kind_file(world: Path) -> None:
    own_kind(world, "max by (<< by >>) (<< gaug >>)")
    result = call("kinds")
    assert result.exit_code == 2 and "peak.yaml:5:31: error[AK423]" in result.output


def test_explain_error() -> None:
    result = call("explain-error", "ak411")
    assert result.exit_code == 0
    assert result.output.startswith("AK411: An expression is not PromQL\n\n") and "## What to do" in result.output
    data = json.loads(call("explain-error", "AK411", "--format", "json").output)
    assert data["title"] == "An expression is not PromQL"
    result = call("explain-error", "AK4111")
    assert result.exit_code == 2 and "did you mean `AK41" in result.output
    assert call("explain-error", "what").exit_code == 2


def test_explain_error_lists_all() -> None:
    rows = json.loads(call("explain-error", "--format", "json").output)
    assert len(rows) == len(list(CODES.glob("*.md"))) and all(row["title"] for row in rows)
    assert "AK411  An expression is not PromQL\n" in call("explain-error").output


@pytest.mark.parametrize("code", ["AK120", "AK121", *(f"AK41{i}" for i in range(4)), *(f"AK42{i}" for i in range(10))])
def test_pages_of_codes(code: str) -> None:
    text = (CODES / f"{code}.md").read_text()
    assert re.match(r"# [A-Z].+[^.]\n\n", text) and "\n## What to do\n" in text
