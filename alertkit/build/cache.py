"""Compiled spec files remembered by content.

An entry's key covers everything that its texts depend on: the spec's bytes and name, the settings, the kinds, and
the program itself. An entry holds the hashes of the texts, not the texts: those stand in `build/`, and what is no
longer there is compiled again. There is one entry for each spec file, so the cache does not grow.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from alertkit.build.unit import Unit, unit
from alertkit.source.cachedir import cache_dir
from alertkit.source.digest import digest


def project_cache(root: Path) -> Path:
    """The folder of a project's cache; need not exist."""
    return cache_dir() / "compile" / digest(str(root.resolve()).encode())


class Cache:
    """The entries of one project."""

    def __init__(self, root: Path) -> None:
        self.folder = project_cache(root)

    def _place(self, name: str) -> Path:
        return self.folder / f"{digest(name.encode())}.unit"

    def get(self, name: str, key: str) -> Unit | None:
        """The entry of spec `name` if it was made from `key`; anything unreadable counts as absent."""
        return self._read(name, key.encode())

    def last(self, name: str) -> Unit | None:
        """The entry of spec `name`, whatever it was made from."""
        return self._read(name, b"")

    def _read(self, name: str, key: bytes) -> Unit | None:
        try:
            found, _, body = self._place(name).read_bytes().partition(b"\n")
            return unit(json.loads(body)) if found == (key or found) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, name: str, key: str, made: Unit) -> None:
        """Remember a unit; a cache that cannot be written is no error."""
        replace(self._place(name), f"{key}\n{json.dumps(made.data(), separators=(',', ':'))}".encode())


def replace(place: Path, content: bytes) -> None:
    """Write a file of the cache aside and rename it; that it cannot be written is no error."""
    aside = place.with_name(f"{place.name}.{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(content)
        aside.replace(place)
    except OSError:
        aside.unlink(missing_ok=True)
