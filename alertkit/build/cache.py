"""Compiled spec files remembered by content.

An entry's key covers everything that its texts depend on: the spec's bytes and name, the settings, the kinds, and
the program itself. An entry holds the hashes of the texts, not the texts: those stand in `build/`, and what is no
longer there is compiled again. There is one entry for each spec file, so the cache does not grow.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from alertkit.build.unit import Section, Unit
from alertkit.source.cachedir import cache_dir
from alertkit.source.digest import digest, place_digest


def project_cache(root: Path) -> Path:
    """The folder of a project's cache; need not exist."""
    return cache_dir() / "compile" / place_digest(root)


class Cache:
    """The entries of one project."""

    def __init__(self, root: Path) -> None:
        self.folder = project_cache(root)

    def _place(self, name: str) -> Path:
        return self.folder / f"{digest(name.encode())}.unit"

    def get(self, name: str, key: str) -> Unit | None:
        """The entry of spec `name` if it was made from `key`; anything unreadable counts as absent."""
        try:
            found, body, routed, _ = self._place(name).read_bytes().decode().split("\n")
            return Unit(*json.loads(body))._replace(routed=routed) if found == key else None
        except (OSError, ValueError, TypeError):
            return None

    def last(self, name: str) -> tuple[Unit, tuple[Section, ...]] | None:
        """The entry of spec `name`, whatever it was made from, with what its test files consist of."""
        try:
            _, body, routed, sections = self._place(name).read_bytes().decode().split("\n")
            made = Unit(*json.loads(body))._replace(routed=routed)
            return made, tuple(Section(*entry) for entry in json.loads(sections))
        except (OSError, ValueError, TypeError):
            return None

    def put(self, name: str, key: str, made: Unit, sections: Sequence[Section]) -> None:
        """Remember a unit; a cache that cannot be written is no error."""
        # What is seldom asked for stands apart: its sections, and its alerts.
        rows = [key, _line(made[:-1]), made.routed, _line(sections)]
        replace(self._place(name), "\n".join(rows).encode())

    def routing(self, key: str) -> dict[str, str] | None:
        """The outputs of the routing if they were made from `key`: their content hashes by path below `build/`."""
        try:
            found, body = self._routing.read_bytes().decode().split("\n")
            return dict(json.loads(body)) if found == key else None
        except (OSError, ValueError, TypeError):
            return None

    def put_routing(self, key: str, outputs: Mapping[str, str]) -> None:
        """Remember the outputs of the routing."""
        replace(self._routing, f"{key}\n{_line(dict(outputs))}".encode())

    @property
    def _routing(self) -> Path:
        return self.folder / "routing"


def _line(data: object) -> str:
    return json.dumps(data, separators=(",", ":"))


def replace(place: Path, content: bytes) -> None:
    """Write a file of the cache aside and rename it; that it cannot be written is no error."""
    aside = place.with_name(f"{place.name}.{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(content)
        aside.replace(place)
    except OSError:
        with suppress(OSError):
            aside.unlink()
