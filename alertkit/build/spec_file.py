"""One spec file: its text to its system, and to the texts that its system becomes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from alertkit.build.beside import put
from alertkit.build.broken import Broken, broken_file
from alertkit.build.cache import Cache
from alertkit.build.inputs import Inputs
from alertkit.build.unit import Unit, written
from alertkit.compile.ruleset import System
from alertkit.source import Problem, Problems, load
from alertkit.source.digest import digest
from alertkit.spec.project import Project


class Task(NamedTuple):
    """One spec file to compile: its text, its path as messages and as comments show it, and its key in the cache."""

    text: str
    shown: str
    name: str
    key: str


class Shared(NamedTuple):
    """What all spec files have in common when they are compiled.

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


class Made(NamedTuple):
    """What came of one spec file: its unit, its system where it was compiled in this process, and its problems.

    Of a file with mistakes only these, and what can be told of it all the same.
    """

    unit: Unit | None
    system: System | None
    problems: list[Problem]
    broken: Broken | None = None


def name_of(project: Project, path: Path) -> str:
    """A file's name in comments: relative to the project, the same on every machine."""
    return Path(os.path.relpath(path, project.root)).as_posix()


def read_system(text: str, shown: str, name: str, inputs: Inputs, problems: Problems) -> System | None:
    """One spec file, compiled; None after any problem in it."""
    from alertkit.compile.system import compile_system

    own = Problems()
    document = load(text, shown, own, partly=True)
    system = None
    if document is not None:
        system = compile_system(document, name, inputs.registry, inputs.settings, own)
    problems.extend(problem for problem in own if problem.code not in inputs.unsure)
    return None if own else system


def compile_file(task: Task, shared: Shared, begun: Callable[[], None] | None = None) -> Made:
    """Compile one spec and write its texts; call `begun` before those."""
    from alertkit.build.texts import texts_of

    problems = Problems()
    system = read_system(task.text, task.shown, task.name, shared.inputs, problems)
    if system is None:
        return Made(None, None, list(problems), broken_file(task.text, task.shown))
    if begun is not None:
        begun()
    if shared.cache is None:
        texts, sections = texts_of(system, None)
    else:
        texts, sections = texts_of(system, shared.program, shared.build, shared.cache.last(task.name))
    outputs = {}
    for path, text in texts.items():
        raw = text.encode()
        outputs[path] = digest(raw)
        if shared.new is not None and shared.present.get(path) != outputs[path]:
            put(shared.new, path, raw)
    unit = Unit(
        system.name, task.shown, task.name, sum(len(alert.rules) for alert in system.alerts),
        sum(section.cases for section in sections), outputs,
        {name: (span.line, span.column, span.length) for name, _, span in system.records},
        tuple(dict.fromkeys(note for alert in system.alerts for note in alert.notes)),
        _routed(system) if shared.inputs.routing else "",
    )  # fmt: skip
    if shared.cache is not None:
        shared.cache.put(task.name, task.key, unit, sections)
    return Made(unit, system, list(problems))


def _routed(system: System) -> str:
    from alertkit.routing.situations import routables

    return written(routables([system]))
