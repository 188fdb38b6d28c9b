"""What has been proven already, by its content and the promtool that ran it: jobs that passed, and whole systems.

Of a system whose cases all passed the results are kept too, so that nothing of it is derived again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from alertkit.prove.running.results import Note, Result, Skipped, from_data, to_data
from alertkit.source.digest import digest
from alertkit.toolchain import Tool, cache_dir

# One line each is small; beyond this many the oldest are forgotten.
MOST = 100_000


class Proven(Protocol):
    """What can be remembered: its rule file and its test file say all that its verdict depends on."""

    def files(self) -> tuple[str, str]: ...


class Memory:
    """A set of content hashes on disk, and the results of systems by `keys`, the hashes of what those depend on.

    What is unreadable counts as empty.
    """

    def __init__(self, place: Path, promtool: Tool, keys: Mapping[str, str]) -> None:
        self._place = place
        self._whole = place.with_suffix(".systems.json")
        self._of = keys
        self._version = f"{promtool.name} {promtool.full_version}"
        self._new: list[str] = []
        self._changed = False

    @classmethod
    def of_project(cls, root: Path, promtool: Tool, keys: Mapping[str, str]) -> Memory:
        """What of a project has passed before."""
        return cls(cache_dir() / "proofs" / f"{digest(str(root.resolve()).encode())}.json", promtool, keys)

    @cached_property
    def _known(self) -> dict[str, None]:
        data = _read(self._place)
        return dict.fromkeys(key for key in data if isinstance(key, str)) if isinstance(data, list) else {}

    @cached_property
    def _systems(self) -> dict[str, list[Any]]:
        data = _read(self._whole)
        return data if isinstance(data, dict) else {}

    def _key_of(self, system: str) -> str | None:
        key = self._of.get(system)
        return None if key is None else digest(self._version.encode(), key.encode())

    def results(self, system: str) -> list[Result | Skipped | Note] | None:
        """What was said of a system when all of it passed; None where it has changed since."""
        try:
            key, data = self._systems[system]
            return list(from_data(data)) if key == self._key_of(system) else None
        except (KeyError, ValueError, TypeError):
            return None

    def keep(self, system: str, events: Iterable[Result | Skipped]) -> None:
        """Remember all that was said of a system, of which everything passed."""
        key = self._key_of(system)
        if key is not None:
            self._systems[system] = [key, to_data(events)]
            self._changed = True

    def key(self, one: Proven) -> str:
        """The name under which something is remembered: a hash of all that its verdict depends on."""
        rules, tests = one.files()
        return digest(self._version.encode(), rules.encode(), tests.encode())

    def passed(self, key: str) -> bool:
        """Whether exactly this has passed before."""
        return key in self._known

    def remember(self, key: str) -> None:
        self._known[key] = None
        self._new.append(key)

    def save(self) -> None:
        """Write what is new; that it cannot be written is no error."""
        if self._new:
            _write(self._place, list(self._known)[-MOST:])
        if self._changed:
            known = {system: entry for system, entry in self._systems.items() if system in self._of}
            _write(self._whole, known)


def _read(place: Path) -> object:
    try:
        return json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _write(place: Path, data: object) -> None:
    aside = place.with_name(f"{place.name}.{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(json.dumps(data, separators=(",", ":")), encoding="utf-8")
        aside.replace(place)
    except OSError:
        aside.unlink(missing_ok=True)
