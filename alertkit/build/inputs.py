"""What a project's specs are compiled with: kinds, names of the routing, settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alertkit.compile.system import Settings
from alertkit.kinds import Registry
from alertkit.source import Problems
from alertkit.spec.project import Project
from alertkit.spec.version import Version

if TYPE_CHECKING:
    from alertkit.spec.routing import Loaded


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that is shared by the spec files; `templates` are notification templates by file name.

    `alertmanager_version` is the one that the project names.
    """

    registry: Registry
    routing: Sequence[Loaded]
    templates: dict[str, str]
    settings: Settings
    alertmanager_version: Version


def spec_paths(project: Project) -> list[Path]:
    """The spec files of a project, in the order in which they are compiled."""
    return sorted(path for pattern in ("*.yaml", "*.yml") for path in project.specs.glob(pattern))


def read_inputs(project: Project, problems: Problems) -> Inputs:
    """Read what is shared; mistakes are added to `problems`, and what could be read is returned."""
    routing = _routing(project.alertmanager, problems)
    registry = _kinds(project.specs / "kinds", problems)
    severities = list(project.file.severities)
    for loaded in routing:
        severities += [name for name in loaded.file.severities if name not in severities]
    known = bool(routing)
    settings = Settings(
        project.file.scrape_interval,
        project.file.evaluation_interval,
        tuple(severities),
        frozenset(name for loaded in routing for name in loaded.file.receivers) if known else None,
        frozenset(name for loaded in routing for name in loaded.file.calendars) if known else None,
    )
    if not project.specs.is_dir():
        place = project.place("specs")
        problems.add(
            "AK112", f"the folder of specs `{project.file.specs}` does not exist", place,
            "run `alertkit init` for a first project, or stand in the folder that holds `alertkit.yaml`",
        )  # fmt: skip
    templates = _templates(project.alertmanager, problems) if known else {}
    return Inputs(registry, routing, templates, settings, project.file.alertmanager_version)


def _routing(folder: Path, problems: Problems) -> Sequence[Loaded]:
    """The project's routing; what reads it is loaded only when there is any."""
    if not folder.is_dir():
        return ()
    from alertkit.spec.routing import read_routing

    return read_routing(folder, problems)


def _templates(folder: Path, problems: Problems) -> dict[str, str]:
    from alertkit.emit.notifications import template_files

    return template_files(folder, problems)


def _kinds(folder: Path, problems: Problems) -> Registry:
    """The project's kinds; what reads them is loaded only when there are any."""
    if not folder.is_dir():
        return Registry()
    from alertkit.kinds.own_file import read_kinds

    return read_kinds(folder, problems)
