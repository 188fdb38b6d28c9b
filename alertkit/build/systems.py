"""The systems of a project for whoever proves them: read when they are asked for, as what has not changed is not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import overload

from alertkit.build.compilation import read_systems
from alertkit.compile.ruleset import System
from alertkit.source import Problems
from alertkit.spec.project import Project


class Systems(Sequence[System]):
    """The systems of a compiled project. `paths`: the spec file of each, by its name."""

    def __init__(self, project: Project | None, paths: Mapping[str, str]) -> None:
        self._project, self._paths = project, paths

    @classmethod
    def of(cls, systems: Sequence[System]) -> Systems:
        """These, which have been read."""
        found = cls(None, {system.name: system.path for system in systems})
        found._all = list(systems)
        return found

    @property
    def names(self) -> Collection[str]:
        return self._paths.keys()

    def named(self, names: Collection[str]) -> Sequence[System]:
        """Some of them only."""
        if self._project is None or "_all" in self.__dict__ or set(names) >= set(self._paths):
            return [system for system in self._all if system.name in names]
        paths = {self._paths[name] for name in names}
        return read_systems(self._project, Problems(), paths)[1] if paths else []

    @cached_property
    def _all(self) -> list[System]:
        return [] if self._project is None else read_systems(self._project, Problems())[1]

    @overload
    def __getitem__(self, index: int) -> System: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[System]: ...

    def __getitem__(self, index: int | slice) -> System | Sequence[System]:
        return self._all[index]

    def __len__(self) -> int:
        return len(self._paths)
