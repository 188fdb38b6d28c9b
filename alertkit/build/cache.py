"""Compiled spec files remembered by content.

An entry's key covers everything that its texts depend on: the spec's bytes and name, the settings, the kinds, and
alertkit itself, down to each of its source files. There is one entry for each spec file, so the cache does not grow.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import alertkit
from alertkit.source.digest import digest
from alertkit.toolchain.tools import cache_dir


def program_digest() -> str:
    """A hash of alertkit's version and of its source files' names, sizes and times."""
    root = Path(alertkit.__file__).parent
    rows = [alertkit.__version__]
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            if name.endswith((".py", ".json", ".tmpl")):
                place = Path(folder, name)
                status = place.stat()
                rows.append(f"{place} {status.st_size} {status.st_mtime_ns}")
    return digest("\n".join(rows).encode())


@dataclass(frozen=True, slots=True)
class Entry:
    """A remembered unit: its `head`, and where the text of each file stands in `place`."""

    head: dict[str, Any]
    place: Path
    offset: int

    @property
    def files(self) -> dict[str, tuple[str, int, int]]:
        """Path below `build/` -> content hash, offset and size of its text."""
        found: dict[str, tuple[str, int, int]] = self.head["files"]
        return found

    def text(self, path: str) -> bytes:
        _, begin, size = self.files[path]
        with self.place.open("rb") as stream:
            stream.seek(self.offset + begin)
            return stream.read(size)


class Cache:
    """The entries of one project."""

    def __init__(self, root: Path) -> None:
        self.folder = cache_dir() / "compile" / digest(str(root.resolve()).encode())

    def _place(self, name: str) -> Path:
        return self.folder / f"{digest(name.encode())}.unit"

    def get(self, name: str, key: str) -> Entry | None:
        """The entry of spec `name` if it was made from `key`; anything unreadable counts as absent."""
        place = self._place(name)
        try:
            with place.open("rb") as stream:
                first = stream.readline()
                head = json.loads(first)
            if head["key"] != key or place.stat().st_size != len(first) + head["size"]:
                return None
            return Entry(head, place, len(first))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, name: str, key: str, head: dict[str, Any], files: dict[str, str]) -> None:
        """Remember a unit; a cache that cannot be written is no error."""
        blobs: list[bytes] = []
        index: dict[str, tuple[str, int, int]] = {}
        size = 0
        for path, text in files.items():
            raw = text.encode()
            index[path] = (digest(raw), size, len(raw))
            blobs.append(raw)
            size += len(raw)
        line = json.dumps({"key": key, "size": size, **head, "files": index}, separators=(",", ":")).encode() + b"\n"
        place = self._place(name)
        aside = place.with_name(f"{place.name}.{os.getpid()}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with aside.open("wb") as stream:
                stream.write(line)
                stream.writelines(blobs)
            aside.replace(place)
        except OSError:
            aside.unlink(missing_ok=True)
