"""Everything that a project proves, as one stream: generated cases, scenarios, plain promtool files."""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import overload

from alertkit.build.compilation import compile_project, read_systems
from alertkit.build.scenarios import Scenarios, read_project_scenarios
from alertkit.compile.ruleset import System
from alertkit.prove.plain.folder import plain_files
from alertkit.prove.running.memory import Memory
from alertkit.prove.running.results import Event, Note, Result, Skipped, combine
from alertkit.prove.running.runner import Run, prove
from alertkit.prove.running.select import everything, selected
from alertkit.source import Problems
from alertkit.spec.project import Project, shown_path
from alertkit.spec.version import Version
from alertkit.toolchain import Tool


class Systems(Sequence[System]):
    """The systems of a compiled project, read again when they are asked for: what has not changed is not needed.

    `paths`: the spec file of each, by its name.
    """

    def __init__(self, project: Project, paths: Mapping[str, str]) -> None:
        self._project, self._paths = project, paths

    def named(self, names: Collection[str]) -> Sequence[System]:
        """Some of them only."""
        if len(names) == len(self._paths):
            return self._all
        return read_systems(self._project, Problems(), [self._paths[name] for name in names])[1]

    @cached_property
    def _all(self) -> list[System]:
        return read_systems(self._project, Problems())[1]

    @overload
    def __getitem__(self, index: int) -> System: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[System]: ...

    def __getitem__(self, index: int | slice) -> System | Sequence[System]:
        return self._all[index]

    def __len__(self) -> int:
        return len(self._paths)


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
        return Memory.of_project(self.project.root, promtool, self.keys)

    @property
    def others(self) -> list[Path]:
        """What is read outside of the project's own folders, or may be."""
        recordings = [path for one in self.scenarios.prepared for path in one.scenario.recordings]
        files = plain_files(self.project.tests)
        if not files:
            return recordings
        from alertkit.prove.plain.files import read_by

        return [*recordings, *read_by(files)]

    def events(self, run: Run, problems: Problems) -> Generator[Event]:
        """All that `run` wants; a problem ends the stream."""
        yield from self.generated(run, problems)
        yield from self.told(run, problems)

    def generated(self, run: Run, problems: Problems) -> Generator[Event]:
        """The cases of the systems; those of systems that passed and have not changed since are known."""
        known = self._known(run.memory)
        for events in known.values():
            yield from selected(events, run.wants)
        systems = self.systems
        if isinstance(systems, Systems):
            systems = systems.named([name for name in self.keys if name not in known])
        results: dict[str, list[Result]] = {system.name: [] for system in systems}
        skipped: dict[str, list[Skipped]] = {system.name: [] for system in systems}
        for event in prove(systems, run, problems):
            if isinstance(event, Result):
                results[event.system].append(event)
            elif isinstance(event, Skipped):
                skipped[event.system].append(event)
            yield event
        if run.memory is not None and run.wants is everything and not problems:
            for name, said in results.items():
                if all(result.passed for result in said):
                    run.memory.keep(name, [*combine(said), *skipped[name]])

    def _known(self, memory: Memory | None) -> dict[str, list[Result | Skipped | Note]]:
        """What was said of the systems that passed and have not changed since."""
        found = {name: memory.results(name) for name in self.keys} if memory is not None else {}
        return {name: events for name, events in found.items() if events is not None}

    def told(self, run: Run, problems: Problems) -> Generator[Event]:
        """What people wrote of it: scenarios and plain promtool files."""
        yield from self.scenarios.prove(run, problems)
        if files := plain_files(self.project.tests):
            from alertkit.prove.plain.files import prove_plain

            yield from prove_plain(files, run.promtool, self.keep, problems, run.wants)


def open_proving(
    project: Project, problems: Problems, write: bool = True, version: Version | None = None
) -> Proving | None:
    """Compile a project and read its tests; None after any problem. Without `write` its `build/` stays as it is.

    `version` is the Alertmanager that the routing is written for (None: the one that the project names).
    """
    if write:
        compiled = compile_project(project, problems, version, write=True)
        if compiled is None:
            return None
        systems = Systems(project, compiled.paths)
        scenarios = read_project_scenarios(project, compiled.inputs, systems, problems, version, compiled.routables)
        return None if problems else Proving(project, systems, scenarios, compiled.keys)
    inputs, read = read_systems(project, problems)
    # What is wrong with the specs would be found wrong with every scenario of theirs again.
    if problems:
        return None
    scenarios = read_project_scenarios(project, inputs, read, problems, version)
    return None if problems else Proving(project, read, scenarios, {})
