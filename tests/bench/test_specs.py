"""The specs of the benches compile, and hold every kind; no time is asserted."""

from __future__ import annotations

from pathlib import Path

from alertkit.build import compile_project, read_systems
from alertkit.kinds.registry import BUILT_IN
from alertkit.source import Problems
from alertkit.source.problem import draw_all
from alertkit.spec.project import read_project
from bench.specs import KINDS, write_specs


def test_specs_compile(tmp_path: Path) -> None:
    count = 2 * len(KINDS)
    paths = write_specs(tmp_path, count, 2)
    problems = Problems()
    project = read_project(tmp_path, problems)
    assert project is not None
    compiled = compile_project(project, problems, cache=False)
    assert compiled is not None, draw_all(problems)
    assert len(compiled.names) == 2
    _, systems = read_systems(project, problems)
    alerts = [alert for system in systems for alert in system.alerts if not alert.companion]
    assert len(alerts) == count
    used = {line.strip() for path in paths for line in path.read_text().splitlines() if "kind: " in line}
    assert used == {f"kind: {name}" for name in BUILT_IN}
    assert 350 < sum(path.stat().st_size for path in paths) / count < 450


def test_specs_are_the_same_each_time(tmp_path: Path) -> None:
    first, second = (write_specs(tmp_path / name, 20, 2) for name in ("a", "b"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
