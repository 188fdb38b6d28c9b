"""A look at files without reading them: sizes, times and inodes, as `git status` does it.

Two looks that are equal mean that nothing was written in between: writing, replacing and renaming a file all set its
change time, which no program can set back.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import alertkit
from alertkit.source.digest import digest

# File systems count time in ticks; what changed just before a look may change again in the same tick.
TICK_NS = 20_000_000

Look = tuple[int, int, int, int]


def look(status: os.stat_result) -> Look:
    """What tells one state of a file from another."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def looks(files: Iterable[tuple[str, Look]]) -> str:
    """One look at many files."""
    return digest("\n".join([f"{path} {seen}" for path, seen in files]).encode(errors="surrogateescape"))


def walk(folder: str, hidden: bool = True, bytecode: bool = True) -> Iterator[tuple[str, os.stat_result]]:
    """All files below a folder in a stable order; without `hidden`, none whose path begins with a dot.

    Without `bytecode`, none of what Python keeps beside sources.
    """
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(".") and not hidden:
            continue
        try:
            below = entry.is_dir()
            if below and entry.is_symlink() and _is_above(entry.path):
                continue  # it would never end
        except OSError:  # a link to itself
            continue
        if below:
            if bytecode or entry.name != "__pycache__":
                yield from walk(entry.path, bytecode=bytecode)
            continue
        try:
            yield entry.path, entry.stat(follow_symlinks=entry.is_file())
        except FileNotFoundError:  # somebody has just removed it
            continue


def _is_above(link: str) -> bool:
    """Whether a link leads to a folder that it is in."""
    target = Path(link).resolve()
    return Path(link).parent.resolve().is_relative_to(target)


def _offers_kinds(package: str) -> bool:
    """Whether the metadata of a package names a kind of alerts."""
    try:
        return b"[alertkit.kinds]" in Path(package, "entry_points.txt").read_bytes()
    except OSError:
        return False


def program_hash() -> str:
    """A hash of alertkit's sources, of Python and of the versions of all packages that are installed beside them.

    Of packages that offer kinds of alerts, their sources count too: they may be developed in place.
    """
    rows = [alertkit.__version__, sys.version]
    for path, status in walk(str(Path(alertkit.__file__).parent), bytecode=False):
        rows.append(f"{path} {look(status)}")
    for place in sys.path:
        try:
            with os.scandir(place or ".") as found:
                packages = sorted(entry.path for entry in found if entry.name.endswith((".dist-info", ".egg-info")))
        except OSError:
            continue
        rows += packages
        if any(_offers_kinds(package) for package in packages):
            from alertkit.kinds.plugins import modules

            rows += [f"{path} {look(path.stat())}" for path in modules()]
    return digest("\n".join(rows).encode())
