"""Everything that a project proves, as one stream: generated cases, scenarios, plain promtool files."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alertkit.build.compilation import compile_project, read_systems
from alertkit.build.scenarios import Scenarios, read_project_scenarios
from alertkit.compile.ruleset import System
from alertkit.prove.memory import Memory
from alertkit.prove.plain import plain_files, prove_plain, read_by
from alertkit.prove.results import Event
from alertkit.prove.runner import Run, prove
from alertkit.source import Problems
from alertkit.source.digest import digest
from alertkit.spec.project import Project, shown_path
from alertkit.spec.version import Version
from alertkit.toolchain import Tool, cache_dir


@dataclass(frozen=True, slots=True)
class Proving:
    """A project that is compiled and written to its `build/`, with what it is to prove.

    `keys`: what the proofs of each system depend on, as hashes; empty where nothing was compiled.
    """

    project: Project
    systems: Sequence[System]
    scenarios: Scenarios
    keys: Mapping[str, str]

    @property
    def keep(self) -> Path:
        """The folder for promtool's own words."""
        return Path(shown_path(self.project.build)) / ".promtool"

    def memory(self, promtool: Tool) -> Memory:
        """What of this project has passed before."""
        name = digest(str(self.project.root.resolve()).encode())
        return Memory(cache_dir() / "proofs" / f"{name}.json", promtool, self.keys)

    @property
    def others(self) -> list[Path]:
        """What is read outside of the project's own folders, or may be."""
        recordings = [path for one in self.scenarios.prepared for path in one.scenario.recordings]
        return [*recordings, *read_by(plain_files(self.project.tests))]

    def events(self, run: Run, problems: Problems) -> Generator[Event]:
        """All that `run` wants; a problem ends the stream."""
        yield from prove(self.systems, run, problems)
        yield from self.told(run, problems)

    def told(self, run: Run, problems: Problems) -> Generator[Event]:
        """What people wrote of it: scenarios and plain promtool files."""
        yield from self.scenarios.prove(run, problems)
        yield from prove_plain(plain_files(self.project.tests), run.promtool, self.keep, problems, run.wants)


def open_proving(
    project: Project, problems: Problems, write: bool = True, version: Version | None = None
) -> Proving | None:
    """Compile a project and read its tests; None after any problem. Without `write` its `build/` stays as it is.

    `version` is the Alertmanager that the routing is written for (None: the one that the project names).
    """
    keys: Mapping[str, str] = {}
    if write:
        compiled = compile_project(project, problems, version, write=True)
        if compiled is None:
            return None
        keys = compiled.keys
    inputs, systems = read_systems(project, problems)
    # What is wrong with the specs would be found wrong with every scenario of theirs again.
    if problems and not write:
        return None
    scenarios = read_project_scenarios(project, inputs, systems, problems, version)
    return None if problems else Proving(project, systems, scenarios, keys)
