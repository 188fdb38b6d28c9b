"""What a project's specs are compiled with: kinds, names of the routing, settings."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from alertkit.build.overlooked import overlooked
from alertkit.compile.settings import Settings
from alertkit.kinds import Registry
from alertkit.source import Problems
from alertkit.source.yaml_files import yaml_files
from alertkit.spec.project import Project, ProjectFile
from alertkit.spec.version import Version

if TYPE_CHECKING:
    from alertkit.spec.routing import Loaded


class Inputs(NamedTuple):
    """All that is shared by the spec files; `templates` are notification templates by file name.

    `alertmanager_version` is the one that the project names. `whole`: each routing file could be read; `unsure`: codes
    of mistakes that may be none, because what they depend on could not be read.
    """

    registry: Registry
    routing: Sequence[Loaded]
    templates: dict[str, str]
    settings: Settings
    alertmanager_version: Version
    whole: bool = True
    unsure: frozenset[str] = frozenset()


# What cannot be told while it is not known which severities there are, or which is the graver one.
UNKNOWN_SEVERITY, USELESS_LEVEL = "AK311", "AK309"
# Nothing is too short for it: what stands for an unknown scrape interval.
SHORTEST = 1
# Nothing is too new for it: what stands for an unknown version.
NEWEST = (sys.maxsize, 0)


def spec_paths(project: Project) -> list[Path]:
    """The spec files of a project, in the order in which they are compiled."""
    return yaml_files(project.specs)


def read_inputs(project: Project, problems: Problems) -> Inputs:
    """Read what is shared; mistakes are added to `problems`, and what could be read is returned."""
    doubts = project.doubts
    routing, whole = _routing(project.alertmanager, problems)
    whole = whole and "alertmanager" not in doubts
    registry = _kinds(project.specs / "kinds", problems)
    severities = list(project.file.severities)
    for loaded in routing:
        severities += [name for name in loaded.names("severities") or () if name not in severities]
    settings = Settings(
        SHORTEST if "scrape_interval" in doubts else project.file.scrape_interval,
        project.file.evaluation_interval,
        tuple(severities),
        _names(routing, "receivers") if whole else None,
        _names(routing, "calendars") if whole else None,
    )
    if not project.specs.is_dir() and "specs" not in doubts:
        place = project.place("specs")
        problems.add(
            "AK112", f"the folder of specs `{project.file.specs}` does not exist", place,
            "run `alertkit init` for a first project, or stand in the folder that holds `alertkit.yaml`",
        )  # fmt: skip
    for key in ("tests", "alertmanager"):
        # A project may do without the usual one; who names another one means it to be there.
        name = getattr(project.file, key)
        if name != ProjectFile.model_fields[key].default and not (project.root / name).is_dir():
            place = project.place(key)
            problems.add("AK112", f"the folder `{name}` does not exist", place, "correct its name, or make the folder")
    for folder in (project.specs, project.specs / "kinds", project.alertmanager):
        overlooked(project, folder, problems)
    templates = _templates(project.alertmanager, problems) if routing else {}
    version = NEWEST if "alertmanager_version" in doubts else project.file.alertmanager_version
    unsure: frozenset[str] = frozenset()
    if "severities" in doubts:
        unsure = frozenset({UNKNOWN_SEVERITY, USELESS_LEVEL})
    elif not whole or (routing and _names(routing, "severities") is None):
        unsure = frozenset({UNKNOWN_SEVERITY})
    return Inputs(registry, routing, templates, settings, version, whole, unsure)


def _routing(folder: Path, problems: Problems) -> tuple[Sequence[Loaded], bool]:
    """The project's routing, and whether each of its files could be read; what reads it is loaded only for that."""
    if not folder.is_dir():
        return (), True
    from alertkit.spec.routing import read_routing, routing_paths

    files = read_routing(folder, problems)
    return files, len(files) == len(routing_paths(folder))


def _names(files: Sequence[Loaded], section: str) -> frozenset[str] | None:
    """What all routing files define in a section; None where there is no routing, or where that is not known."""
    if not files:
        return None
    from alertkit.spec.routing import all_names

    return all_names(files, section)


def _templates(folder: Path, problems: Problems) -> dict[str, str]:
    from alertkit.emit.notifications import template_files

    return template_files(folder, problems)


def _kinds(folder: Path, problems: Problems) -> Registry:
    """The project's kinds; what reads them is loaded only when there are any."""
    if not folder.is_dir():
        return Registry()
    from alertkit.kinds.own_file import read_kinds

    return read_kinds(folder, problems)
