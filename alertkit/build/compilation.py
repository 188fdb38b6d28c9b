"""All spec files of a project, compiled: from the cache where nothing changed, else over all cores."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from alertkit.build.beside import put
from alertkit.build.broken import Broken, broken_file, others_of
from alertkit.build.cache import Cache
from alertkit.build.folder import Folder, not_ours, unwritable
from alertkit.build.inputs import Inputs, read_inputs, spec_paths
from alertkit.build.look import program_hash
from alertkit.build.unit import Unit, read_routables, written
from alertkit.compile.ruleset import System
from alertkit.source import Problem, Problems, Span, load
from alertkit.source.digest import digest
from alertkit.spec.project import Project, read_text
from alertkit.spec.root import shown_path
from alertkit.spec.version import Version

if TYPE_CHECKING:
    from alertkit.compile.routing import Routable

# Fewer files than this are compiled faster than a second process starts.
PARALLEL_FROM = 8
# Bytes, more than the texts of one spec file have.
LARGEST_TEXTS = 16 << 20


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


def read_systems(
    project: Project, problems: Problems, only: Collection[str] | None = None
) -> tuple[Inputs, list[System]]:
    """The project's systems in memory, with the claims that proofs are made from; `only` those of some spec files."""
    inputs = read_inputs(project, problems)
    systems = []
    for path in spec_paths(project):
        if only is not None and shown_path(path) not in only:
            continue
        text = read_text(path, problems)
        if text is None:
            continue
        system = _system(text, shown_path(path), _name(project, path), inputs, problems)
        if system is not None:
            systems.append(system)
    _one_file_each([(s.name, Span(s.path, 1, 1)) for s in systems], problems)
    _one_system_each([(record.name, s.name, record.span) for s in systems for record in s.records], problems)
    return inputs, systems


def _name(project: Project, path: Path) -> str:
    """A spec's name in comments: relative to the project, the same on every machine."""
    return Path(os.path.relpath(path, project.root)).as_posix()


class _Task(NamedTuple):
    """One spec file to compile: its text, its path as messages and as comments show it, and its key in the cache."""

    text: str
    shown: str
    name: str
    key: str


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
        shared = _Shared(self.inputs, self.program, self.project.build, present, self.cache, new)
        broken: list[Broken | None] = []
        if len(work) >= PARALLEL_FROM:
            folder.alone()  # workers would hold its ends open, and no core is free for it
        kept = sum(len(unit.outputs) for unit in found)
        for made in _run(work, shared, self.jobs, lambda: folder.link_ahead(kept)):
            problems.extend(made.problems)
            if made.system is not None:
                systems[made.system.name] = made.system
            if made.unit is not None:
                units.append(made.unit)
            else:
                broken.append(made.broken)
        units.sort(key=lambda unit: unit.span)
        named = [(unit.system, unit.span) for unit in units]
        _one_file_each(named + [(b.system, b.span) for b in broken if b is not None and b.system], problems)
        if len({name for unit in units for name in unit.records}) < sum(len(unit.records) for unit in units):
            _one_system_each([record for unit in units for record in unit.recorded()], problems)
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

    def _tasks(self) -> list[_Task]:
        settings = self.program + self.inputs.settings.key() + self.inputs.registry.digest
        # How the folder is named makes the names of what is in it: asked for each of many files, it takes long.
        folders = shown_path(self.project.specs), _name(self.project, self.project.specs)
        tasks = []
        for path in spec_paths(self.project):
            text = read_text(path, self.problems)
            if text is not None:
                shown, name = (os.path.normpath(f"{folder}/{path.name}") for folder in folders)
                key = digest(settings.encode(), shown.encode(), name.encode(), text.encode())
                tasks.append(_Task(text, shown, name, key))
        return tasks

    def _cached(self, tasks: list[_Task], present: dict[str, str] | None) -> tuple[list[Unit], list[_Task]]:
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
        made = {"alertmanager.yml": alertmanager_yaml(routing, lambda shown: _name(self.project, Path.cwd() / shown))}
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


def _keys(tasks: Sequence[_Task], units: Sequence[Unit]) -> dict[str, str]:
    keys = {task.shown: task.key for task in tasks}
    return {unit.system: keys[unit.span.path] for unit in units}


def _one_file_each(named: list[tuple[str, Span]], problems: Problems) -> None:
    """Two files must not define one system."""
    first: dict[str, Span] = {}
    for system, span in sorted(named, key=lambda pair: pair[1]):
        if system in first:
            problems.add(
                "AK213", f"the system `{system}` is defined a second time", span,
                f"it is first defined at {first[system]}; put its alerts into one file, or rename one",
            )  # fmt: skip
        else:
            first[system] = span


def _one_system_each(recorded: list[tuple[str, str, Span]], problems: Problems) -> None:
    """Two systems must not record one name: an alert would read what the other one records, too.

    Names begin with the system, but those of `shop` by `eu_zone` and of `shop_eu` by `zone` begin alike.
    """
    first: dict[str, tuple[str, Span]] = {}
    reported: set[Span] = set()
    for name, system, span in sorted(recorded, key=lambda record: (record[2], record[0])):
        other, place = first.setdefault(name, (system, span))
        if other != system and span not in reported:
            reported.add(span)
            problems.add(
                "AK215", f"the systems `{other}` and `{system}` would both record `{name}`", span,
                f"the other one is for the alert at {place}; rename one of the systems",
            )  # fmt: skip


class _Shared(NamedTuple):
    """What all workers have in common.

    program     a hash of the code that compiles
    build, new  the folder of the last build, and that for new texts (None: only their hashes are wanted)
    present     what is in the last build, and need not be written again: its content hashes by path
    """

    inputs: Inputs
    program: str
    build: Path
    present: dict[str, str]
    cache: Cache | None
    new: Path | None


# What forked workers inherit: specs differ, everything else is shared.
_shared: _Shared | None = None


class _Made(NamedTuple):
    """What came of one spec file: its unit, its system where it was compiled in this process, and its problems.

    Of a file with mistakes only these, and what can be told of it all the same.
    """

    unit: Unit | None
    system: System | None
    problems: list[Problem]
    broken: Broken | None = None


def _run(tasks: list[_Task], shared: _Shared, jobs: int, begun: Callable[[], None]) -> list[_Made]:
    """What comes of each task; `begun` is called when something does, where the other cores are free."""
    global _shared
    _shared = shared
    if len(tasks) < PARALLEL_FROM or jobs < 2 or not hasattr(os, "fork"):
        return [_unit(task, begun) for task in tasks]
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(jobs, get_context("fork"), initializer=_begin, initargs=(os.getpid(),)) as pool:
        # Larger pieces would leave workers idle in the end, smaller ones would go back and forth for nothing.
        return list(pool.map(_unit_alone, tasks, chunksize=max(1, len(tasks) // (jobs * 24))))


def _begin(parent: int) -> None:
    """Prepare a worker."""
    _end_with(parent)
    # What is as large as something that was freed before, glibc keeps when it is freed, and does not have the kernel
    # clear its pages anew for the texts of the next file. This costs nothing: nobody touches it.
    bytes(LARGEST_TEXTS)


def _end_with(parent: int) -> None:
    """Let this process end soon after its parent, however that ended: nobody else tells it."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _unit_alone(task: _Task) -> _Made:
    """The same in a worker, where the system stays: it is large, and seldom needed."""
    return _unit(task)._replace(system=None)


def _unit(task: _Task, begun: Callable[[], None] | None = None) -> _Made:
    """Compile one spec and write its texts; call `begun` before those."""
    from alertkit.build.texts import texts_of

    assert _shared is not None
    problems = Problems()
    system = _system(task.text, task.shown, task.name, _shared.inputs, problems)
    if system is None:
        return _Made(None, None, list(problems), broken_file(task.text, task.shown))
    if begun is not None:
        begun()
    before = None if _shared.cache is None else _shared.cache.last(task.name)
    texts, sections = texts_of(system, _shared.program, _shared.build, before)
    outputs = {}
    for path, text in texts.items():
        raw = text.encode()
        outputs[path] = digest(raw)
        if _shared.new is not None and _shared.present.get(path) != outputs[path]:
            put(_shared.new, path, raw)
    unit = Unit(
        system.name, task.shown, task.name, sum(len(alert.rules) for alert in system.alerts),
        sum(section.cases for section in sections), outputs,
        {name: (span.line, span.column, span.length) for name, _, span in system.records},
        tuple(dict.fromkeys(note for alert in system.alerts for note in alert.notes)),
        _routed(system) if _shared.inputs.routing else "",
    )  # fmt: skip
    if _shared.cache is not None:
        _shared.cache.put(task.name, task.key, unit, sections)
    return _Made(unit, system, list(problems))


def _routed(system: System) -> str:
    from alertkit.routing.situations import routables

    return written(routables([system]))


def _system(text: str, shown: str, name: str, inputs: Inputs, problems: Problems) -> System | None:
    """One spec file, compiled; None after any problem in it."""
    from alertkit.compile.system import compile_system

    own = Problems()
    document = load(text, shown, own, partly=True)
    system = None
    if document is not None:
        system = compile_system(document, name, inputs.registry, inputs.settings, own)
    problems.extend(problem for problem in own if problem.code not in inputs.unsure)
    return None if own else system
