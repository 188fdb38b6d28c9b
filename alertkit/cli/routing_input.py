"""What the commands about routing need: the compiled routing and the alerts of a project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alertkit.cli.common import fail, this_project
from alertkit.compile.routing import OLDEST, Routable, Routing, Version
from alertkit.source import Problems, Span
from alertkit.spec.project import Project, load_file
from alertkit.spec.routing import Loaded, read_routing


@dataclass(frozen=True, slots=True)
class Input:
    """A project's routing; `templates` are the texts of its notification templates by file name."""

    project: Project
    files: Sequence[Loaded]
    alerts: Sequence[Routable]
    systems: Sequence[Any]
    routing: Routing
    templates: dict[str, str]


def read_input(version: Version = OLDEST) -> Input:
    """Read and compile the project around the current folder; leaves with its problems."""
    from alertkit.compile.route_tree import compile_routing
    from alertkit.compile.system import Settings, compile_system
    from alertkit.emit.notifications import template_files
    from alertkit.kinds import Registry
    from alertkit.routing.situations import routables

    project = this_project()
    problems = Problems()
    files = read_routing(project.alertmanager, problems)
    if not files and not problems:
        problems.add(
            "AK522", "the project has no routing", Span(str(project.alertmanager / "routing.yaml"), 1, 1),
            "write it: receivers, a default and routes",
        )  # fmt: skip
    receivers = frozenset(name for loaded in files for name in loaded.file.receivers)
    calendars = frozenset(name for loaded in files for name in loaded.file.calendars)
    severities = {"info": 0, "warning": 1, "critical": 2} | {n: 3 for f in files for n in f.file.severities}
    settings = Settings(
        project.file.scrape_interval, project.file.evaluation_interval, tuple(severities), receivers, calendars
    )
    systems = []
    for path in sorted(project.specs.glob("*.yaml")) if project.specs.is_dir() else ():
        document = load_file(path, problems)
        system = document and compile_system(document, document.path, Registry(), settings, problems)
        if system:
            systems.append(system)
    alerts = routables(systems)
    templates = template_files(project.alertmanager, problems)
    routing = None if problems else compile_routing(files, alerts, problems, version, templates)
    if routing is None:
        fail(problems)
    return Input(project, files, alerts, systems, routing, templates)


def write_templates(templates: dict[str, str], folder: Path) -> None:
    """Put the template files into a folder."""
    for name, text in templates.items():
        (folder / name).write_text(text, encoding="utf-8")
