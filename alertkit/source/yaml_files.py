"""Which files of a folder are read, and which look as if they were but are not."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

_ENDINGS = (".yaml", ".yml")


def yaml_files(folder: Path) -> list[Path]:
    """The YAML files of a folder by name; none where there is no folder.

    Editors leave locks and copies whose names begin with a dot. What is no file is a problem when it is read.
    """
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 (several times faster where there are many)
    except OSError:
        return []
    return [folder / name for name in names if name.endswith(_ENDINGS) and not name.startswith(".")]


def wrongly_named(folder: Path) -> list[Path]:
    """Files whose endings are those of YAML but for their case."""
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208
    except OSError:
        return []
    return [folder / name for name in names if _is_yaml(name) and not name.endswith(_ENDINGS)]


def subfolders(folder: Path) -> list[Path]:
    """The folders in a folder, by name."""
    try:
        return sorted(Path(e.path) for e in os.scandir(folder) if e.name[0] != "." and e.is_dir())
    except OSError:
        return []


def below(folder: Path, apart: Collection[Path]) -> Iterator[Path]:
    """All YAML files in and below a folder, but for those in the folders `apart`, which are resolved."""
    for place, folders, names in os.walk(folder):
        if Path(place).resolve() in apart:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place, name) for name in sorted(names) if _is_yaml(name))


def _is_yaml(name: str) -> bool:
    return name.lower().endswith(_ENDINGS) and not name.startswith(".")
