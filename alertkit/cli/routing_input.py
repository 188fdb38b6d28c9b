"""What the commands about routing need: the compiled routing and the alerts of a project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alertkit.cli.common import fail, this_project
from alertkit.compile.routing import Routable, Routing, Version
from alertkit.source import Problems, Span
from alertkit.spec.project import Project, shown_path
from alertkit.spec.routing import Loaded


@dataclass(frozen=True, slots=True)
class Input:
    """A project's routing; `templates` are the texts of its notification templates by file name."""

    project: Project
    files: Sequence[Loaded]
    alerts: Sequence[Routable]
    routing: Routing
    templates: dict[str, str]


def read_input(version: Version | None = None) -> Input:
    """Read and compile the project around the current folder; leaves with its problems.

    `version` is the Alertmanager that the routing is written for (None: the one that the project names).
    """
    from alertkit.build import compile_project
    from alertkit.build.inputs import read_inputs
    from alertkit.compile.route_tree import compile_routing

    project = this_project()
    problems = Problems()
    compiled = compile_project(project, problems, version)
    if compiled is None:
        fail(problems)
    inputs = read_inputs(project, problems)
    if not inputs.routing:
        problems.add(
            "AK522", "the project has no routing", Span(shown_path(project.alertmanager / "routing.yaml"), 1, 1),
            "write it: receivers, a default and routes",
        )  # fmt: skip
        fail(problems)
    version = version or project.file.alertmanager_version
    routing = compile_routing(inputs.routing, compiled.routables, problems, version, inputs.templates)
    if routing is None:
        fail(problems)
    return Input(project, inputs.routing, compiled.routables, routing, inputs.templates)


def write_templates(templates: dict[str, str], folder: Path) -> None:
    """Put the template files into a folder."""
    for name, text in templates.items():
        (folder / name).write_text(text, encoding="utf-8")
