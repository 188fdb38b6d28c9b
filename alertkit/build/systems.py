"""The systems of a project for whoever proves them: read when they are asked for, as what has not changed is not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from functools import cached_property
from typing import overload

from alertkit.build.inputs import Inputs, read_inputs, spec_paths
from alertkit.build.once import one_file_each, one_system_each
from alertkit.build.spec_file import name_of, read_system
from alertkit.compile.ruleset import System
from alertkit.source import Problems, Span
from alertkit.spec.project import Project, read_text
from alertkit.spec.root import shown_path


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
        system = read_system(text, shown_path(path), name_of(project, path), inputs, problems)
        if system is not None:
            systems.append(system)
    one_file_each([(s.name, Span(s.path, 1, 1)) for s in systems], problems)
    one_system_each([(record.name, s.name, record.span) for s in systems for record in s.records], problems)
    return inputs, systems


class Systems(Sequence[System]):
    """The systems of a compiled project. `paths`: the spec file of each, by its name; `ready`: those at hand."""

    def __init__(self, project: Project | None, paths: Mapping[str, str], ready: Mapping[str, System]) -> None:
        self._project, self._paths, self._ready = project, paths, dict(ready)

    @classmethod
    def of(cls, systems: Sequence[System]) -> Systems:
        """These, which have been read."""
        return cls(None, {system.name: system.path for system in systems}, {system.name: system for system in systems})

    @property
    def names(self) -> Set[str]:
        return self._paths.keys()

    def named(self, names: Collection[str]) -> Sequence[System]:
        """Some of them only."""
        found = {name: self._ready[name] for name in names if name in self._ready}
        paths = {self._paths[name] for name in names if name not in found}
        if paths and self._project is not None:
            found |= {system.name: system for system in read_systems(self._project, Problems(), paths)[1]}
        return [found[name] for name in self._paths if name in found]

    def kept(self, names: Collection[str]) -> Sequence[System]:
        """Some of them only, which are the same objects whenever they are asked for again."""
        found = self.named(names)
        self._ready.update({system.name: system for system in found})
        return found

    @cached_property
    def _all(self) -> list[System]:
        return list(self.kept(self._paths))

    @overload
    def __getitem__(self, index: int) -> System: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[System]: ...

    def __getitem__(self, index: int | slice) -> System | Sequence[System]:
        return self._all[index]

    def __len__(self) -> int:
        return len(self._paths)
