"""Everything that a project proves, as one stream: generated cases, scenarios, plain promtool files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from alertkit.build.broken import named_systems
from alertkit.build.compilation import Compilation, compile_project
from alertkit.build.look import program_hash
from alertkit.build.scenarios import Scenarios, read_project_scenarios
from alertkit.build.systems import Systems, read_systems
from alertkit.compile.ruleset import System
from alertkit.prove.derived.content import contents_of
from alertkit.prove.plain.folder import plain_files
from alertkit.prove.running.memory import Memory
from alertkit.prove.running.results import Event, Result, Skipped, combine
from alertkit.prove.running.runner import Run, prove
from alertkit.prove.running.select import everything, selected
from alertkit.source import Problems
from alertkit.spec.project import Project, shown_path
from alertkit.spec.version import Version
from alertkit.toolchain import Tool

# Systems are read and proven until they have so many expectations together, then the next ones are: a project of any
# size fits into memory. (1,000 alerts have about 30,000.)
WAVE = 30_000


@dataclass(frozen=True, slots=True)
class Proving:
    """A project with what it is to prove; `compiled` is what was written to its `build/` (None: nothing was)."""

    project: Project
    systems: Systems
    scenarios: Scenarios
    compiled: Compilation | None

    @property
    def keys(self) -> Mapping[str, str]:
        """What the proofs of each system depend on, as hashes; empty where nothing was compiled."""
        return self.compiled.keys if self.compiled else {}

    @property
    def keep(self) -> Path:
        """The folder for promtool's own words."""
        return Path(shown_path(self.project.build)) / ".promtool"

    def memory(self, promtool: Tool) -> Memory:
        """What of this project has passed before."""
        program = self.compiled.program if self.compiled else program_hash()
        return Memory.of_project(self.project.root, promtool, self.keys, program)

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
        sizes = self.compiled.sizes if self.compiled else {}
        waiting = {name: sizes.get(name, 0) for name in self.systems.names if name not in known}
        done, total = 0, sum(waiting.values())
        for names in _waves(waiting):
            size = sum(waiting[name] for name in names)
            part = replace(run, progress=_share(run, done, size, total))
            yield from self._proven(self.systems.named(names), part, problems)
            if problems:
                return
            done += size

    def of(self, results: Collection[Result]) -> Sequence[System]:
        """The systems that some results are about."""
        return self.systems.named({result.system for result in results} & set(self.systems.names))

    def _proven(self, systems: Sequence[System], run: Run, problems: Problems) -> Generator[Event]:
        """The cases of some systems; what is said of those that pass is remembered."""
        said: dict[str, list[Result | Skipped]] = {system.name: [] for system in systems}
        for event in prove(systems, run, problems):
            if isinstance(event, Result | Skipped):
                said[event.system].append(event)
            yield event
        if run.memory is None or run.wants is not everything or problems:
            return
        for system in systems:
            failed = {event.alert for event in said[system.name] if isinstance(event, Result) and not event.passed}
            passed = [event for event in said[system.name] if event.alert not in failed]
            cases = combine(event for event in passed if isinstance(event, Result))
            reasons = [event for event in passed if isinstance(event, Skipped)]
            contents = contents_of(system, run.memory.program)
            run.memory.keep(system.name, contents, [*cases, *reasons], whole=not failed)

    def _known(self, memory: Memory | None) -> dict[str, list[Result | Skipped]]:
        """What was said of the systems that passed and have not changed since."""
        found = {name: memory.results(name) for name in self.keys} if memory is not None else {}
        return {name: events for name, events in found.items() if events is not None}

    def told(self, run: Run, problems: Problems) -> Generator[Event]:
        """What people wrote of it: scenarios and plain promtool files."""
        yield from self.scenarios.prove(run, problems)
        if files := plain_files(self.project.tests):
            from alertkit.prove.plain.files import prove_plain

            yield from prove_plain(files, run, problems)


def _waves(sizes: Mapping[str, int]) -> Iterator[list[str]]:
    """Names, until what they stand for is together as much as is proven at once."""
    names: list[str] = []
    for name, size in sizes.items():
        if names and sum(sizes[one] for one in names) + size > WAVE:
            yield names
            names = []
        names.append(name)
    if names:
        yield names


def _share(run: Run, before: int, size: int, total: int) -> Callable[[int, int], None]:
    """The progress of a wave of `size` expectations as that of all; those that are remembered count as done."""
    return lambda done, waiting: run.progress(before + size - waiting + done, total)


def open_proving(
    project: Project, problems: Problems, write: bool = True, version: Version | None = None, program: str | None = None
) -> Proving | None:
    """Compile a project and read its tests; None after any problem. Without `write` its `build/` stays as it is.

    `version` is the Alertmanager that the routing is written for (None: the one that the project names), `program`
    what `program_hash()` says, where it has been asked.
    """
    if write:
        compiled = compile_project(project, problems, version, write=True, program=program)
        if compiled is None:
            _check_tests(project, problems, version)
            return None
        systems = Systems(project, compiled.paths, compiled.systems)
        scenarios = read_project_scenarios(project, compiled.inputs, systems, problems, version, compiled.routables)
        return None if problems else Proving(project, systems, scenarios, compiled)
    inputs, read = read_systems(project, problems)
    if problems:
        _check_tests(project, problems, version)
        return None
    systems = Systems.of(read)
    scenarios = read_project_scenarios(project, inputs, systems, problems, version)
    return None if problems else Proving(project, systems, scenarios, None)


def _check_tests(project: Project, problems: Problems, version: Version | None) -> None:
    """What is wrong with the tests of a project whose specs or routing have mistakes: all of it is told in one run."""
    inputs, read = read_systems(project, Problems(), only=() if "specs" in project.doubts else None)
    read_project_scenarios(project, inputs, Systems.of(read), problems, version, broken=named_systems(project))
    if files := plain_files(project.tests):
        from alertkit.prove.plain.files import check_files

        check_files(files, problems)
