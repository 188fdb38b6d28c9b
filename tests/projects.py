"""Projects for tests: copies of the repository's own, or small ones, in a folder of their own."""

from __future__ import annotations

import shutil
from pathlib import Path

from alertkit.build import read_systems
from alertkit.compile.ruleset import System
from alertkit.source import Problems
from alertkit.source.problem import forget_files
from alertkit.spec.project import read_project

ROOT = Path(__file__).parent.parent


def shipped(folder: Path) -> Path:
    """A copy of the project that the repository ships: the five systems with their routing and tests."""
    for name in ("rules_src", "alertmanager", "promtool_tests"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "alertkit.yaml", folder / "alertkit.yaml")
    return folder


def small(folder: Path, *alerts: str, system: str = "demo", defaults: str = "{for: 5m}") -> Path:
    """A project with one system; each alert is a line or block of YAML, indented by two spaces here."""
    specs = folder / "rules_src"
    specs.mkdir(parents=True, exist_ok=True)
    body = "".join("  " + alert.strip().replace("\n", "\n  ") + "\n" for alert in alerts)
    (specs / f"{system}.yaml").write_text(f"system: {system}\ndefaults: {defaults}\nalerts:\n{body}", encoding="utf-8")
    (folder / "alertkit.yaml").write_text("scrape_interval: 15s\n", encoding="utf-8")
    return folder


def written(folder: Path, texts: dict[str, str]) -> Path:
    """A project of these files, by path; nothing is remembered of files that stood there before."""
    for path, text in texts.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text.lstrip(), encoding="utf-8")
    forget_files()
    return folder


def systems_of(folder: Path) -> list[System]:
    """The compiled systems of a project that has no mistakes."""
    problems = Problems()
    project = read_project(folder, problems)
    assert project is not None
    _, systems = read_systems(project, problems)
    assert not problems
    return systems
