"""Specs in a temporary project: compiled, their problems as drawn, their proofs run by promtool."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from textwrap import dedent

from alertkit.compile.ruleset import System
from alertkit.compile.settings import Settings
from alertkit.compile.system import compile_system
from alertkit.emit.promtool import test_file
from alertkit.emit.rules import rules_file
from alertkit.kinds.own_file import read_kinds
from alertkit.prove.derived.cases import proofs_of
from alertkit.source import Problems, load
from alertkit.source.problem import draw_all

PROMTOOL = shutil.which("promtool")


def compiled(spec: str, kinds: dict[str, str], folder: Path) -> tuple[System | None, str]:
    """The system, and the drawn problems (empty when there are none); the spec's name is `spec.yaml`."""
    place = folder / "kinds"
    place.mkdir(exist_ok=True)
    for name, text in kinds.items():
        (place / name).write_text(dedent(text).lstrip("\n"), encoding="utf-8")
    problems = Problems()
    registry = read_kinds(place, problems)
    text = dedent(spec).lstrip("\n")
    document = load(text, "spec.yaml", problems)
    system = document and compile_system(document, "spec.yaml", registry, Settings(), problems)
    lines = text.split("\n")

    def line_of(path: str, line: int) -> str | None:
        found = lines if path == "spec.yaml" else Path(path).read_text(encoding="utf-8").split("\n")
        return found[line - 1] if line <= len(found) else None

    drawn = draw_all(problems, line_of=line_of) if problems else ""
    return system, drawn.replace(f"{place}/", "")


def expressions(system: System | None) -> list[str]:
    """The expressions of all records and alerts."""
    assert system is not None
    rules = [rule.expr for alert in system.alerts for rule in alert.rules]
    return [*(record.expr for record in system.records), *rules]


def prove(system: System, folder: Path) -> int:
    """Run all generated proofs with promtool, which must succeed; the number of expectations."""
    assert PROMTOOL is not None
    (folder / "rules.yml").write_text(rules_file(system), encoding="utf-8")
    clocks: dict[int, list[object]] = {}
    checks = 0
    for proof in proofs_of(system):
        clocks.setdefault(proof.grid.evaluation, []).append(proof.group)
        checks += len(proof.checks)
    names = []
    for clock, groups in clocks.items():
        names.append(f"{clock}.test.yml")
        text = test_file("", ["rules.yml"], [system.name], clock, groups)  # type: ignore[arg-type]
        (folder / names[-1]).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [PROMTOOL, "test", "rules", *names], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return checks
