"""All spec files of a project, compiled: from the cache where nothing changed, else over all cores."""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from alertkit.build.beside import put
from alertkit.build.broken import Broken, others_of
from alertkit.build.cache import Cache
from alertkit.build.folder import Folder, not_ours, unwritable
from alertkit.build.inputs import Inputs, read_inputs, spec_paths
from alertkit.build.look import program_hash
from alertkit.build.once import one_file_each, one_system_each
from alertkit.build.spec_file import Shared, Task, name_of
from alertkit.build.unit import Unit, read_routables
from alertkit.build.workers import PARALLEL_FROM, compile_files
from alertkit.compile.ruleset import System
from alertkit.source import Problems
from alertkit.source.digest import digest
from alertkit.spec.project import Project, read_text
from alertkit.spec.root import shown_path
from alertkit.spec.version import Version

if TYPE_CHECKING:
    from alertkit.compile.routing import Routable


class Compilation(NamedTuple):
    """A compiled project: `outputs` by path below `build/` with their content hashes, and how much went into it.

    `program`: a hash of the code that compiled; `keys`: for each system what all that was made of it depends on, as a
    hash; `sizes`: how many expectations it has. `systems`: those that are at hand, as they were just compiled.
    `changed`: the build folder was not as it should be, and was written where that was asked for; `seen`: a look at it,
    None where somebody else wrote into it meanwhile.
    """

    outputs: dict[str, str]
    names: tuple[str, ...]
    alerts: int
    cases: int
    reused: int
    units: tuple[Unit, ...]
    program: str
    keys: dict[str, str]
    sizes: dict[str, int]
    paths: dict[str, str]
    inputs: Inputs
    systems: dict[str, System]
    stale: tuple[str, ...] = ()
    seen: str | None = None

    @property
    def routables(self) -> tuple[Routable, ...]:
        """The alerts as routing sees them."""
        return read_routables(self.units)

    @property
    def notes(self) -> list[str]:
        """What the authors of the specs should know though nothing is wrong."""
        return [note for unit in self.units for note in unit.notes]

    @property
    def changed(self) -> bool:
        return bool(self.stale)


def compile_project(
    project: Project, problems: Problems, version: Version | None = None, jobs: int | None = None, cache: bool = True,
    write: bool = False, program: str | None = None,
) -> Compilation | None:  # fmt: skip
    """Compile everything; None after any problem. `version` is the Alertmanager that the routing is written for
    (None: the one that the project names), `program` what `program_hash()` says, where it has been asked.

    With `write`, the build folder holds exactly the outputs in the end, or after any problem is as it was.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        compiler = _Compiler(project, problems, version, jobs or os.cpu_count() or 1, cache, program or program_hash())
        if not write or problems:
            return compiler.compiled(None)
        with compiler.folder.renewed(ahead=cache and compiler.jobs > 1) as new:
            return compiler.compiled(new)
    except OSError as error:
        unwritable(project, error, problems)
        return None
    finally:
        if enabled:
            gc.enable()


class _Compiler:
    def __init__(
        self, project: Project, problems: Problems, version: Version | None, jobs: int, cached: bool, program: str
    ) -> None:
        self.project, self.problems, self.jobs = project, problems, jobs
        self.inputs = read_inputs(project, problems)
        self.version = version or self.inputs.alertmanager_version
        self.cache = Cache(project.root) if cached and not project.doubts else None
        self.program = program
        self.folder = Folder(project.build, project.root)

    def compiled(self, new: Path | None) -> Compilation | None:
        """Compile everything, put what changed into the folder `new`, and that in the place of the build."""
        problems, folder = self.problems, self.folder
        tasks = self._tasks()
        present = {} if new is None else folder.present()
        found, work = self._cached(tasks, None if new is None else present)
        units, systems = list(found), {}
        shared = Shared(self.inputs, self.program, self.project.build, present, self.cache, new)
        broken: list[Broken | None] = []
        if len(work) >= PARALLEL_FROM:
            folder.alone()  # workers would hold its ends open, and no core is free for it
        kept = sum(len(unit.outputs) for unit in found)
        for made in compile_files(work, shared, self.jobs, lambda: folder.link_ahead(kept)):
            problems.extend(made.problems)
            if made.system is not None:
                systems[made.system.name] = made.system
            if made.unit is not None:
                units.append(made.unit)
            else:
                broken.append(made.broken)
        units.sort(key=lambda unit: unit.span)
        named = [(unit.system, unit.span) for unit in units]
        one_file_each(named + [(b.system, b.span) for b in broken if b is not None and b.system], problems)
        if len({name for unit in units for name in unit.records}) < sum(len(unit.records) for unit in units):
            one_system_each([record for unit in units for record in unit.recorded()], problems)
        outputs = {path: content for unit in units for path, content in unit.outputs.items()}
        whole = len(tasks) == len(spec_paths(self.project)) and not self.project.doubts & {"specs", "severities"}
        outputs |= self._routing(units, broken if whole else [None], new)
        if problems:
            return None
        outputs = dict(sorted(outputs.items()))
        stale = tuple(folder.differences(outputs))
        if new is None:
            seen: str | None = folder.seen()
        else:
            foreign = folder.foreign(outputs) if stale else []
            if foreign:
                not_ours(self.project, foreign, problems)
                return None
            if stale:
                folder.swap(new, outputs)
            else:
                folder.drop(new)
            seen = folder.remember(outputs)
        return Compilation(
            outputs, tuple(sorted(unit.system for unit in units)), sum(unit.alerts for unit in units),
            sum(unit.cases for unit in units), len(found), tuple(units),
            self.program, _keys(tasks, units), {unit.system: unit.cases for unit in units},
            {unit.system: unit.span.path for unit in units}, self.inputs, systems, stale, seen,
        )  # fmt: skip

    def _tasks(self) -> list[Task]:
        settings = self.program + self.inputs.settings.key() + self.inputs.registry.digest
        # How the folder is named makes the names of what is in it: asked for each of many files, it takes long.
        folders = shown_path(self.project.specs), name_of(self.project, self.project.specs)
        tasks = []
        for path in spec_paths(self.project):
            text = read_text(path, self.problems)
            if text is not None:
                shown, name = (os.path.normpath(f"{folder}/{path.name}") for folder in folders)
                key = digest(settings.encode(), shown.encode(), name.encode(), text.encode())
                tasks.append(Task(text, shown, name, key))
        return tasks

    def _cached(self, tasks: list[Task], present: dict[str, str] | None) -> tuple[list[Unit], list[Task]]:
        """What is in the cache, and what is to be compiled: also what has no text among those that are `present`."""
        if self.cache is None:
            return [], tasks
        found, work = [], []
        for task in tasks:
            unit = self.cache.get(task.name, task.key)
            if unit is None or (present is not None and not unit.outputs.items() <= present.items()):
                work.append(task)
            else:
                found.append(unit)
        return found, work

    def _routing(self, units: Sequence[Unit], broken: Sequence[Broken | None], new: Path | None) -> dict[str, str]:
        """The outputs of the routing, whose texts are put into `new`; nothing where there is none or all is not well.

        What follows from the same files and the same alerts as last time is in the build already.
        """
        inputs, problems = self.inputs, self.problems
        if not inputs.routing or not inputs.whole:
            return {}
        files = [part.encode() for loaded in inputs.routing for part in (loaded.path, loaded.document.text)]
        texts = [part.encode() for pair in inputs.templates.items() for part in pair]
        alerts = [unit.routed.encode() for unit in units]
        head = f"{self.program} {self.version} {len(files)} {len(texts)}"
        key = digest(head.encode(), inputs.settings.key().encode(), *files, *texts, *alerts)
        known = self.cache.routing(key) if self.cache is not None and not problems else None
        if known is not None and all(self.folder.present().get(path) == made for path, made in known.items()):
            return known
        from alertkit.compile.route_tree import draft_routing
        from alertkit.emit.alertmanager import alertmanager_yaml
        from alertkit.emit.notifications import check_templates

        others = others_of(broken, inputs.settings)
        routables = read_routables(units)
        routing = draft_routing(inputs.routing, routables, problems, self.version, inputs.templates, others)
        check_templates(self.project.alertmanager, inputs.templates, routing, problems)
        if problems:
            return {}
        made = {"alertmanager.yml": alertmanager_yaml(routing, lambda shown: name_of(self.project, Path.cwd() / shown))}
        made.update({f"templates/{name}": text for name, text in inputs.templates.items()})
        outputs = {}
        for path, text in made.items():
            raw = text.encode()
            outputs[path] = digest(raw)
            if new is not None:
                put(new, path, raw)
        if self.cache is not None:
            self.cache.put_routing(key, outputs)
        return outputs


def _keys(tasks: Sequence[Task], units: Sequence[Unit]) -> dict[str, str]:
    keys = {task.shown: task.key for task in tasks}
    return {unit.system: keys[unit.span.path] for unit in units}
